"""The assessment of somebody whose name is known: the invitation behind a sitting that this browser may work on."""

from django.utils import timezone

from assessments.sessions import held_sitting
from candidates.invitations import Invitation


def open_invitation(request, sitting_id) -> Invitation | None:
    """The invitation to a sitting that this browser may work on and that can still be worked on, or None."""
    if held_sitting(request, sitting_id) is None:
        return None
    found = Invitation.objects.select_related("person", "role_version__role", "sitting").filter(sitting=sitting_id)
    invitation = found.first()
    return invitation if invitation and invitation.sitting.is_open(timezone.now()) else None
