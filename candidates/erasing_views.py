"""Erasing a person: what goes, what stays, and the last word."""

from django import forms
from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render

from accounts.closing import may_close
from accounts.erasure import Erasure
from candidates import erasing
from candidates.models import Person
from roles.forms import CleanText
from socialstrategy.lib.searching import folded
from socialstrategy.lib.text import clean


class EraseForm(CleanText, forms.Form):
    """The reason, which is kept for good, and the name once more, so that nobody is erased by a slip."""

    reason = forms.CharField(
        max_length=200,
        help_text="Kept for good in the audit log, so it must not name them. For example: asked for it on 3 March.",
    )
    close_account = forms.BooleanField(
        label="Close the account as well",
        required=False,
        initial=True,
        help_text="Nobody can sign in with it any more, and its name and address go. "
        "Otherwise it stays, and belongs to no person.",
    )
    name = forms.CharField(label="Their name, to be sure", max_length=120)

    def __init__(self, *args, person, by, **kwargs):
        super().__init__(*args, **kwargs)
        self.person = person
        self.fields["name"].widget.attrs["autocomplete"] = "off"
        self.fields["name"].help_text = f"Write {person.name}."
        if not person.user or not may_close(person.user, by=by):
            del self.fields["close_account"]

    def clean_name(self):
        if folded(clean(self.cleaned_data["name"])) != folded(clean(self.person.name)):
            raise forms.ValidationError("This is another name. Nothing was erased.")
        return self.cleaned_data["name"]

    def clean_reason(self):
        reason = self.cleaned_data["reason"]
        if erasing.is_named_in(self.person, reason):
            raise forms.ValidationError("The reason names the person, and it stays. Write it without the name.")
        return reason


def person_erase(request, pk):
    """What would go and what would stay; with the reason and the name, it is done."""
    person = Person.objects.visible_to(request.user).select_related("user").filter(pk=pk).first()
    if person is None:
        return _gone_already(request, pk)
    form = EraseForm(request.POST or None, person=person, by=request.user)
    if request.method == "POST" and form.is_valid():
        done = erasing.erase(
            person,
            reason=form.cleaned_data["reason"],
            by=request.user,
            close_account=form.cleaned_data.get("close_account", False),
        )
        if done is None:
            return _gone_already(request, pk)
        messages.success(request, f"Everything about this person is erased. The audit log calls them {person.code}.")
        return redirect("candidates:person_list")
    context = {
        "person": person,
        "form": form,
        "goes": erasing.what_goes(person),
        "stays": erasing.what_stays(person),
        "has_own_account": person.user_id == request.user.pk,
    }
    return render(request, "candidates/person_erase.html", context, status=400 if form.errors else 200)


def _gone_already(request, pk):
    """A second click, or a page that was open for long."""
    if not Erasure.objects.filter(label=Person._meta.label_lower, target=str(pk)).exists():
        raise Http404
    messages.info(request, "This person has been erased already.")
    return redirect("candidates:person_list")
