"""Before everything else: answers for machines that watch."""

from socialstrategy.operations import views

PROBES = {"/healthz": views.healthz, "/readyz": views.readyz}


class ProbesMiddleware:
    """Answers probes whatever their Host and scheme, without a session: they come from inside, often by number."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        probe = PROBES.get(request.path_info)
        return probe(request) if probe else self.get_response(request)
