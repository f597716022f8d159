"""Light and dark as the system asks for them, until somebody chooses."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LIGHT, DARK = "rgb(246, 245, 242)", "rgb(19, 19, 18)"


@pytest.fixture
def preferring(browser, live_server):
    """A function that opens the sign-in page for somebody whose system prefers a scheme."""
    contexts = []

    def opened(scheme, **options):
        contexts.append(browser.new_context(color_scheme=scheme, base_url=live_server.url, **options))
        page = contexts[-1].new_page()
        page.goto("/sign-in/")
        return page

    yield opened
    for context in contexts:
        context.close()


def paper(page) -> str:
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


@pytest.mark.parametrize("has_scripts", [True, False])
@pytest.mark.parametrize(("scheme", "shown"), [("light", LIGHT), ("dark", DARK)])
def test_the_system_s_preference_decides(preferring, scheme, shown, has_scripts):
    page = preferring(scheme, java_script_enabled=has_scripts)
    assert paper(page) == shown


@pytest.mark.parametrize(("scheme", "theme", "shown"), [("dark", "light", LIGHT), ("light", "dark", DARK)])
def test_what_was_chosen_holds_against_the_system(preferring, live_server, scheme, theme, shown):
    page = preferring(scheme)
    page.context.add_cookies([{"name": "theme", "value": theme, "url": live_server.url}])
    page.reload()
    assert paper(page) == shown


def test_print_is_light(preferring):
    page = preferring("dark")
    page.emulate_media(media="print")
    assert paper(page) in {LIGHT, "rgb(255, 255, 255)"}


@pytest.mark.parametrize(("scheme", "offered"), [("light", "Switch to dark"), ("dark", "Switch to light")])
def test_only_the_way_to_the_other_look_is_offered(demo, browser, scheme, offered):
    context = browser.new_context(color_scheme=scheme, base_url=demo)
    page = context.new_page()
    page.goto("/sign-in/")
    page.click("button[value=hr]")
    buttons = [one.get_attribute("aria-label") for one in page.get_by_role("button", name="Switch to").all()]
    assert buttons == [offered]
    page.get_by_role("button", name=offered).click()
    page.wait_for_load_state()
    assert paper(page) == (DARK if scheme == "light" else LIGHT)
    context.close()
