"""OpenNGC: the deep-sky objects that Skymmich's own table may lack, offline."""
