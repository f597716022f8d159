"""The project's pages, and a trivial one: sign-in, base template, two queries, a table of 50 by 8."""

from django.shortcuts import render
from django.urls import include, path

from accounts.access import RULES, SIGNED_IN
from candidates.models import Person

RULES["trivial"] = SIGNED_IN


def trivial(request):
    newest = Person.objects.order_by("-pk").first()
    return render(request, "trivial.html", {"newest": newest, "people": Person.objects.order_by("pk")[:50]})


urlpatterns = [path("trivial/", trivial, name="trivial"), path("", include("socialstrategy.urls"))]
