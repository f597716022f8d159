"""What every template may need."""

from django.conf import settings

THEMES = {"auto": "As your system", "light": "Light", "dark": "Dark"}
DEMO_ROLES = (("hr", "HR manager"), ("assessor", "Assessor"), ("executive", "Executive"), ("employee", "Employee"))


def site(request) -> dict:
    """Demo mode and the theme: the system's, or what a cookie holds, known to the server so that nothing flashes."""
    theme = request.COOKIES.get("theme")
    return {"demo": settings.DEMO, "demo_roles": DEMO_ROLES, "theme": theme if theme in THEMES else "auto"}
