"""Input that no form would send, refused before any view sees it."""

from django.core.exceptions import BadRequest

NUL = "\x00"


class NoNulMiddleware:
    """Refuses addresses and fields with a NUL sign, which PostgreSQL cannot store or look for; others see a 400."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        sent = [request.path, *(value for _, values in request.GET.lists() for value in values)]
        sent += [value for _, values in request.POST.lists() for value in values]
        if any(NUL in value for value in sent):
            raise BadRequest("The request holds a NUL sign.")
