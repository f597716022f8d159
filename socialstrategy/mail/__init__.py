"""Mail through an outbox: ``post`` writes the row, a job sends it."""


def post(to: str, template: str, context: dict):
    """Render ``template`` (first line the subject, a blank line, then the text) and put it into the outbox."""
    from django.conf import settings
    from django.template.loader import render_to_string

    from socialstrategy import jobs
    from socialstrategy.mail.models import Mail

    written = render_to_string(template, {**context, "base_url": settings.BASE_URL}).strip()
    subject, _, text = written.partition("\n")
    mail = Mail.objects.create(to=to, subject=" ".join(subject.split())[:200], text=text.strip() + "\n")
    jobs.enqueue("mail.send", mail_id=str(mail.pk))
    return mail
