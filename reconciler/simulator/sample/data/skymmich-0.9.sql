-- The tables of Skymmich 0.9 on SQLite, by their names and columns: what a reader of its catalogue meets.
-- Timestamps are unix seconds, booleans 0 or 1; tags, specifications, settings, result and value hold JSON.

CREATE TABLE astrophotography_images (
    id INTEGER PRIMARY KEY NOT NULL, immich_id TEXT, title TEXT NOT NULL, filename TEXT NOT NULL,
    thumbnail_url TEXT, full_url TEXT, capture_date INTEGER, focal_length REAL, aperture TEXT, iso INTEGER,
    exposure_time TEXT, frame_count INTEGER, total_integration_hours REAL,
    telescope TEXT, camera TEXT, mount TEXT, filters TEXT,
    latitude REAL, longitude REAL, altitude REAL,
    plate_solved INTEGER DEFAULT 0, ra TEXT, dec TEXT, pixel_scale REAL, field_of_view TEXT, rotation REAL,
    astrometry_job_id TEXT, tags TEXT, object_type TEXT, constellation TEXT, description TEXT,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, original_path TEXT, target_name TEXT
);
CREATE UNIQUE INDEX astrophotography_images_immich_id_unique ON astrophotography_images (immich_id);

CREATE TABLE image_acquisition (
    id INTEGER PRIMARY KEY NOT NULL, image_id INTEGER NOT NULL, filter_id INTEGER, filter_name TEXT,
    frame_count INTEGER NOT NULL, exposure_time REAL NOT NULL, gain INTEGER, "offset" INTEGER, binning TEXT,
    sensor_temp REAL, date INTEGER, notes TEXT, created_at INTEGER NOT NULL
);

CREATE TABLE equipment (
    id INTEGER PRIMARY KEY NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, specifications TEXT, image_url TEXT,
    description TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, cost REAL, acquisition_date INTEGER
);
CREATE TABLE image_equipment (
    id INTEGER PRIMARY KEY NOT NULL, image_id INTEGER, equipment_id INTEGER, settings TEXT, notes TEXT,
    created_at INTEGER NOT NULL
);
CREATE TABLE equipment_groups (
    id INTEGER PRIMARY KEY NOT NULL, name TEXT NOT NULL, description TEXT, created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE TABLE equipment_group_members (
    id INTEGER PRIMARY KEY NOT NULL, group_id INTEGER NOT NULL, equipment_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE plate_solving_jobs (
    id INTEGER PRIMARY KEY NOT NULL, image_id INTEGER, astrometry_submission_id TEXT, astrometry_job_id TEXT,
    status TEXT DEFAULT 'pending' NOT NULL, submitted_at INTEGER NOT NULL, completed_at INTEGER, result TEXT
);

CREATE TABLE locations (
    id INTEGER PRIMARY KEY NOT NULL, name TEXT NOT NULL, latitude REAL NOT NULL, longitude REAL NOT NULL,
    altitude REAL, description TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
);

CREATE TABLE catalog_objects (
    id INTEGER PRIMARY KEY NOT NULL, name TEXT NOT NULL, type TEXT, ra TEXT, dec TEXT, ra_deg REAL, dec_deg REAL,
    constellation TEXT, major_axis REAL, minor_axis REAL, b_mag REAL, v_mag REAL, surface_brightness REAL,
    hubble_type TEXT, messier TEXT, ngc_ref TEXT, ic_ref TEXT, common_names TEXT, identifiers TEXT,
    created_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX catalog_objects_name_unique ON catalog_objects (name);

CREATE TABLE user_targets (
    id INTEGER PRIMARY KEY NOT NULL, catalog_name TEXT NOT NULL, notes TEXT, tags TEXT,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX user_targets_catalog_name_unique ON user_targets (catalog_name);

CREATE TABLE notifications (
    id INTEGER PRIMARY KEY NOT NULL, type TEXT NOT NULL, title TEXT NOT NULL, message TEXT NOT NULL, details TEXT,
    acknowledged INTEGER DEFAULT 0, created_at INTEGER NOT NULL
);

CREATE TABLE admin_settings (id INTEGER PRIMARY KEY NOT NULL, key TEXT NOT NULL, value TEXT);
CREATE UNIQUE INDEX admin_settings_key_unique ON admin_settings (key);

CREATE TABLE __drizzle_migrations (id SERIAL PRIMARY KEY, hash TEXT NOT NULL, created_at NUMERIC);
