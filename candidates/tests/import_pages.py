"""The pages of an import, as tests go through them."""

from django.core.files.uploadedfile import SimpleUploadedFile

from candidates.models import ImportBatch


def upload(client, content, name="people.csv", **choices) -> ImportBatch:
    """Send a file and match it as the page offers, but for ``choices``."""
    data = content if isinstance(content, bytes) else content.encode()
    response = client.post("/people/import/", {"file": SimpleUploadedFile(name, data)})
    assert response.status_code == 302, response.content.decode()
    batch = ImportBatch.objects.get(pk=response["Location"].split("/")[-2])
    if choices:
        choose(client, batch, **choices)
    return batch


def choose(client, batch, **choices) -> None:
    """Match anew with what the page offers now, but for ``choices``."""
    form = client.get(f"/people/import/{batch.pk}/").context["form"]
    data = {name: form[name].value() for name in form.fields} | choices
    response = client.post(f"/people/import/{batch.pk}/", {name: value for name, value in data.items() if value})
    assert response.status_code == 302, response.context["form"].errors
    batch.refresh_from_db()


def write(client, batch, run_jobs) -> list[tuple[str, str]]:
    """What the rows say once they are written."""
    client.post(f"/people/import/{batch.pk}/start/")
    run_jobs()
    batch.refresh_from_db()
    assert batch.state == "done"
    return list(batch.rows.values_list("fate", "message"))
