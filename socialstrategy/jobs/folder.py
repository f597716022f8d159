"""The folder as broker, for trying out: Celery's own, but that a message is there whole or not at all.

Celery's creates the file and fills it afterwards. Whoever looks between the two, or after the disk was full, reads half
a message, which ends the worker.
"""

import logging
import time
import uuid
from pathlib import Path

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps

logger = logging.getLogger(__name__)


class Channel(filesystem.Channel):
    def _put(self, queue, payload, **kwargs):
        path = Path(self.data_folder_out) / f"{time.time_ns()}_{uuid.uuid4()}.{queue}.msg"
        draft = path.with_name(f"{path.name}.draft")
        try:
            draft.write_text(dumps(payload))
            draft.replace(path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise ChannelError(f"No message can be put into {path.parent}: {error}") from error

    def _get(self, queue):
        while True:
            try:
                return super()._get(queue)
            except ValueError as error:
                # Its job waits in the database, and is sent again.
                logger.warning("A message in %s cannot be read and is left out: %s", self.data_folder_in, error)


class Transport(filesystem.Transport):
    Channel = Channel
