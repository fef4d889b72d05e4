"""Builds the Debian package: program and libraries under /opt, units, an example configuration, completions.

Its environment is one for Debian's own Python, of the minor version and the processor that it is built on.
The libraries are those of the lock, with their hashes. What the maintainer scripts do is in ``deb/``.
"""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DEBIANS_PYTHON = "/usr/bin/python3"
PACKAGE = "skymmich-reconciler"
HOME = "opt/skymmich-reconciler/venv"
SCRIPTS = ("preinst", "postinst", "prerm", "postrm")
COMPLETIONS = {
    "bash": f"usr/share/bash-completion/completions/{PACKAGE}",
    "zsh": f"usr/share/zsh/vendor-completions/_{PACKAGE}",
    "fish": f"usr/share/fish/vendor_completions.d/{PACKAGE}.fish",
}
_OF_THIS_BUILD = ("direct_url.json", "uv_cache.json", "REQUESTED")
"""Files of an installation that tell from where it was made."""


def build_deb(source: Path, wheel: Path, version: str, out: Path, python: str) -> Path:
    """Build the package of a wheel into ``out``.

    Args:
        source: the checkout, for the units, the lock and the scripts.
        wheel: the program.
        version: of the program, and of the package.
        out: the folder for it.
        python: the Python that it is for, as it will be found on the other machine.
    """
    architecture = _said("dpkg", "--print-architecture")
    minor = _said(python, "-c", "import sys; print('{}.{}'.format(*sys.version_info))")
    deb = out / f"{PACKAGE}_{version}_{architecture}.deb"
    with tempfile.TemporaryDirectory(prefix="skymmich-reconciler-deb-") as scratch:
        tree = Path(scratch, "tree")
        site = _environment(tree / HOME, python, minor)
        _install(site, python, "--require-hashes", "--requirements", str(source / "requirements.lock"))
        _install(site, python, "--no-deps", "--no-index", str(wheel))
        _uv(
            "uninstall",
            "--python",
            python,
            "--target",
            str(site),
            "-r",
            str(source / "packages/left-out.txt"),
        )
        _forget_the_build(site)
        _lay_out(tree, source, site, python)
        _control(tree, source, version, architecture, minor)
        _settle(tree)
        # One thread, else the bytes depend on how many cores there are.
        command = ["dpkg-deb", "--root-owner-group", "-Zzstd", "-z9", "--threads-max=1", "--build"]
        subprocess.run([*command, str(tree), str(deb)], check=True, stdout=sys.stderr)
    return deb


def _environment(home: Path, python: str, minor: str) -> Path:
    """Make a virtual environment for its final place: ``venv`` would note the place it is made in."""
    site = home / f"lib/python{minor}/site-packages"
    (home / "bin").mkdir(parents=True)
    site.mkdir(parents=True)
    for name, leads in (("python3", python), ("python", "python3"), (f"python{minor}", "python3")):
        (home / "bin" / name).symlink_to(leads)
    settings = f"home = {Path(python).parent}\ninclude-system-site-packages = false\nversion = {minor}\n"
    (home / "pyvenv.cfg").write_text(settings, encoding="ascii")
    program = home / "bin" / PACKAGE
    program.write_text(
        f"#!/{HOME}/bin/python\nimport sys\nfrom reconciler.__main__ import main\nsys.exit(main())\n",
        encoding="ascii",
    )
    program.chmod(0o755)
    return site


def _install(site: Path, python: str, *what: str) -> None:
    """Install libraries into a folder, uncompiled: that is done where they are used, as Debian's own are."""
    _uv("install", "--python", python, "--target", str(site), "--link-mode=copy", *what)


def _uv(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "uv", "pip", *arguments, "--quiet", "--no-config"], check=True)


def _forget_the_build(site: Path) -> None:
    """Remove programs, which would name this folder, and what tells from where something was installed."""
    shutil.rmtree(site / "bin", ignore_errors=True)
    (site / ".lock").unlink(missing_ok=True)
    for record in site.glob("*.dist-info/RECORD"):
        for name in _OF_THIS_BUILD:
            record.with_name(name).unlink(missing_ok=True)
        with record.open(encoding="utf-8", newline="") as file:
            kept = [
                row for row in csv.reader(file) if (site / row[0]).exists() and "bin" not in row[0].split("/")
            ]
        with record.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(sorted(kept))


def _lay_out(tree: Path, source: Path, site: Path, python: str) -> None:
    """Put units, command, example, completions and documents where Debian has them."""
    units, documents = tree / "usr/lib/systemd/system", tree / "usr/share/doc" / PACKAGE
    for folder in (
        units,
        documents,
        tree / "usr/bin",
        tree / "etc/skymmich-reconciler",
        tree / "etc/credstore",
    ):
        folder.mkdir(parents=True)
    for unit in (*source.glob("systemd/*.service"), *source.glob("systemd/*.timer")):
        shutil.copyfile(unit, units / unit.name)
    shutil.copy(source / "systemd" / PACKAGE, tree / "usr/bin" / PACKAGE)
    shutil.copyfile(
        source / "systemd/config.example.toml", tree / "etc/skymmich-reconciler/config.example.toml"
    )
    shutil.copytree(source / "systemd/examples", documents / "examples")
    shutil.copytree(source / "packages/grafana", documents / "examples/grafana")
    for document in (
        "README.md",
        "CHANGELOG.md",
        "systemd/INSTALL.md",
        "systemd/alerts.yml",
        "docs/backup.md",
    ):
        shutil.copyfile(source / document, documents / Path(document).name)
    shutil.copyfile(source / "LICENSE", documents / "copyright")
    for shell, place in COMPLETIONS.items():
        path = tree / place
        path.parent.mkdir(parents=True)
        path.write_text(completion(shell, site, python), encoding="utf-8")


def completion(shell: str, site: Path, python: str) -> str:
    """Have the program itself say how a shell completes it."""
    text = _said(
        python, "-I", "-B", "-c",
        "import sys; sys.path.insert(0, sys.argv[1]); from reconciler.cli.app import main;"
        "raise SystemExit(main(['completion', sys.argv[2]]))", str(site), shell,
    )  # fmt: skip
    if shell == "zsh":
        # What is loaded at the first Tab has to answer it, too; typer's text says how to answer the next.
        lines = [line for line in text.splitlines() if not line.startswith("compdef ")]
        function = next(line.partition("(")[0] for line in lines if line.endswith("() {"))
        text = "\n".join([*lines, f'{function} "$@"'])
    return text.rstrip() + "\n"


def _control(tree: Path, source: Path, version: str, architecture: str, minor: str) -> None:
    """Write what dpkg wants to know, and the maintainer scripts."""
    control = tree / "DEBIAN"
    files = sorted(path for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
    sums = [f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(tree)}\n" for path in files]  # noqa: S324  dpkg's form
    size = sum(-(-path.stat().st_size // 1024) for path in files)
    control.mkdir()
    (control / "md5sums").write_text("".join(sums), encoding="utf-8")
    (control / "conffiles").write_text("/etc/skymmich-reconciler/config.example.toml\n", encoding="ascii")
    major, _, number = minor.partition(".")
    filled = (
        (source / "packages/deb/control")
        .read_text(encoding="utf-8")
        .format(
            version=version,
            architecture=architecture,
            size=size,
            python=minor,
            next=f"{major}.{int(number) + 1}",
        )
    )
    (control / "control").write_text(filled, encoding="utf-8")
    shutil.copyfile(source / "packages/deb/templates", control / "templates")
    for name in SCRIPTS:
        shutil.copyfile(source / "packages/deb" / name, control / name)
        (control / name).chmod(0o755)


def _settle(tree: Path) -> None:
    """Give every file the mode that it shall have, whatever the umask, and the commit's time."""
    moment = int(os.environ["SOURCE_DATE_EPOCH"])
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        os.utime(path, (moment, moment), follow_symlinks=False)
    (tree / "etc/credstore").chmod(0o700)


def _said(*command: str) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(command, env=clean, check=True, capture_output=True, text=True).stdout.strip()
