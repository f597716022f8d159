"""What every template may need."""

from django.conf import settings

THEMES = ("light", "dark")
DEMO_ROLES = (("hr", "HR manager"), ("assessor", "Assessor"), ("executive", "Executive"), ("employee", "Employee"))


def site(request) -> dict:
    """Demo mode and the theme; a cookie decides the theme on the server, so that nothing flashes."""
    theme = request.COOKIES.get("theme", "light")
    return {"demo": settings.DEMO, "demo_roles": DEMO_ROLES, "theme": theme if theme in THEMES else "light"}
