"""Print the path of a Chromium: CHROMIUM, the system's, Debian's package (as root), else the npm package."""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def found() -> str | None:
    given = os.environ.get("CHROMIUM")
    if given:
        return given if Path(given).exists() else None
    return next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )


def from_debian() -> None:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("· Installing Chromium from Debian", file=sys.stderr, flush=True)
        quiet = {"stdout": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
        subprocess.run(["apt-get", "update", "-qq"], check=False, **quiet)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "install", "-y", "-qq", "chromium"], check=False, env=environment, **quiet)


def unpack(packed: Path, target: Path) -> None:
    """Undo brotli, which Node can and Python cannot; Node lies beside npm."""
    from frontend import npm

    beside = Path(npm()[0]).parent / "node"
    code = (
        "const z=require('zlib'),f=require('fs');"
        "f.writeFileSync(process.argv[2],z.brotliDecompressSync(f.readFileSync(process.argv[1])))"
    )
    subprocess.run([str(beside) if beside.exists() else "node", "-e", code, str(packed), str(target)], check=True)


def from_npm() -> str | None:
    """@sparticuz/chromium carries a brotli-packed binary; Node unpacks it (x86-64 only)."""
    sys.path.insert(0, str(ROOT / "scripts"))
    from frontend import npm

    folder = ROOT / "var" / "chromium"
    binary = folder / "chromium"
    if not binary.exists():
        print("· Installing Chromium from npm", file=sys.stderr, flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        command = [*npm(), "install", "--prefix", str(folder), "--no-save", "--ignore-scripts", "--silent"]
        subprocess.run([*command, "@sparticuz/chromium@153.0.0"], check=True)
        packed = folder / "node_modules" / "@sparticuz" / "chromium" / "bin"
        # The libraries that draw without a graphics card have to lie beside the binary, else it dies at once.
        extract(packed / "swiftshader.tar.br", folder)
        extract(packed / "al2023.tar.br", folder / "system")
        unpack(packed / "chromium.br", binary)
        binary.chmod(0o755)
    return with_libraries(folder, binary) if binary.exists() else None


def extract(packed: Path, folder: Path) -> None:
    """Unpack a brotli-packed archive into a folder."""
    archive = folder.parent / packed.stem
    unpack(packed, archive)
    with tarfile.open(archive) as libraries:
        # Early 3.11 releases know no filters yet.
        libraries.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    archive.unlink()


def with_libraries(folder: Path, binary: Path) -> str:
    """The binary itself, or, where the system lacks its libraries, a start script that brings those of the package."""
    if (
        not shutil.which("ldd")
        or "not found" not in subprocess.run(["ldd", str(binary)], capture_output=True, text=True, check=False).stdout
    ):
        return str(binary)
    start = folder / "start"
    start.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH="{folder}/system/lib" exec "{binary}" "$@"\n')
    start.chmod(0o755)
    return str(start)


def main() -> int:
    path = found()
    if not path:
        from_debian()
        path = found() or from_npm()
    if not path:
        print("There is no Chromium, and none could be installed. Set CHROMIUM to its path.", file=sys.stderr)
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
