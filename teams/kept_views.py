"""What is kept how long, for whoever wants to know."""

from django.shortcuts import render

from teams.retention import AGES


def kept(request):
    """The same list that the job by night carries out."""
    base = "base.html" if request.user.is_authenticated else "focus.html"
    return render(request, "teams/kept.html", {"ages": AGES, "base": base})
