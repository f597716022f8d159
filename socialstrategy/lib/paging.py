"""Pages of long lists."""

from django.core.paginator import Page, Paginator

PER_PAGE = 50


def page_of(rows, request, per_page: int = PER_PAGE) -> Page:
    """The page that ?page= asks for; a nonsense number gives the nearest one that exists."""
    return Paginator(rows, per_page).get_page(request.GET.get("page"))
