"""Every setting, in one place: flag > environment > TOML file > what `connect` stored > default."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from label_studio_crowd.errors import UserError

PREFIX = "LABEL_STUDIO_CROWD_"
CONFIG_FILE = "label-studio-crowd.toml"
DEFAULT_MAX_LABELS: Final = 5
_MANY: Final = 1_000_000_000

ConsensusMethod = Literal["hierarchical-dawid-skene", "crowdlab"]
TARGET_QUALITY: Final[dict[ConsensusMethod, float]] = {"hierarchical-dawid-skene": 0.9, "crowdlab": 0.8}
"""The quality that settles a task, by default: the first method's is a probability, the second's a cautious score."""


def data_directory() -> Path:
    """Where the mirror lives by default: ``$XDG_DATA_HOME/label-studio-crowd``."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "label-studio-crowd"


SCORES_DEPEND_ON: Final = (
    "control",
    "ordered",
    "model_annotators",
    "classifier",
    "consensus",
    "trust_ground_truth",
    "target_quality",
    "min_labels",
    "max_labels",
)
"""The settings that decide what a project's scores are."""
QUEUE_OPTIONS: Final = ("queue_size", "label_budget", "show_consensus")
"""The settings that decide what of the scores is published, and how."""
PROJECT_OPTIONS: Final = (
    *SCORES_DEPEND_ON,
    *QUEUE_OPTIONS,
    "retrain_share",
    "retrain_hours",
    "consensus_changes",
    "review_tabs",
)
"""The settings that are a project's own, and remembered with it."""


def _also(name: str) -> AliasChoices:
    """Read a setting from the name that the ecosystem knows, too."""
    return AliasChoices(PREFIX + name.removeprefix("LABEL_STUDIO_"), name)


class Settings(BaseSettings):
    """How to reach Label Studio, how a project is scored and served, and how the service runs.

    Environment variables carry the prefix ``LABEL_STUDIO_CROWD_``; some are also read from the names the
    ecosystem knows: ``LABEL_STUDIO_URL``, ``LABEL_STUDIO_API_KEY``, ``BASIC_AUTH_USER``, ``BASIC_AUTH_PASS``,
    ``PORT``, ``MODEL_DIR`` and ``LOG_LEVEL``.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", populate_by_name=True)

    url: str = Field(
        "http://localhost:8080",
        validation_alias=_also("LABEL_STUDIO_URL"),
        description="Label Studio's address.",
    )
    public_url: str | None = Field(None, description="Label Studio's address in a browser, if it differs.")
    api_key: SecretStr | None = Field(
        None,
        validation_alias=_also("LABEL_STUDIO_API_KEY"),
        description="A personal access token or a legacy token.",
    )
    store: str = Field(
        default_factory=lambda: f"sqlite:///{data_directory() / 'mirror.sqlite'}",
        description="The local mirror: sqlite:///FILE, or postgresql://… for several machines.",
    )
    project: int | None = Field(None, ge=1, le=_MANY, description="The project of commands that name none.")
    control: str | None = Field(
        None, description="Names of the controls that are scored, with commas between them; all by default."
    )
    ordered: str | None = Field(
        None, description="Names of the Choices whose classes have an order, lowest first, with commas between them."
    )
    model_annotators: str | None = Field(
        None,
        description="Model versions whose predictions in Label Studio are answers, with commas between them.",
    )
    classifier: str = Field("auto", description="auto, none, text, tabular, embedding, predictions:…, module:…")
    consensus: ConsensusMethod = Field(
        "hierarchical-dawid-skene", description="How consensus, qualities and priorities are computed."
    )
    trust_ground_truth: bool = Field(False, description="Take ground-truth annotations as the truth.")
    target_quality: float | None = Field(
        None, ge=0, le=1, description="A task is settled from this quality on: 0.9, with crowdlab 0.8."
    )
    min_labels: int | None = Field(
        None, ge=1, le=_MANY, description="Labels that a task needs to be settled: 1 with a classifier, 2 without."
    )
    max_labels: int = Field(DEFAULT_MAX_LABELS, ge=1, le=_MANY, description="Maximum number of labels per task.")
    queue_size: int | None = Field(None, ge=1, le=_MANY, description="Tasks in the queue.")
    label_budget: int | None = Field(None, ge=0, le=_MANY, description="Maximum number of labels in the whole project.")
    show_consensus: bool = Field(False, description="Pre-fill the consensus for annotators.")
    retrain_share: float = Field(0.05, ge=0, le=1000, description="Share of new labels that retrains the classifier.")
    retrain_hours: float = Field(6.0, gt=0, le=100_000, description="Hours after which any new label retrains it.")
    consensus_changes: int = Field(
        200, ge=0, le=_MANY, description="Maximum number of consensus predictions edited in one run."
    )
    review_tabs: bool = Field(False, description="Have tabs for reviewers in the Data Manager.")

    host: str | None = Field(None, description="Address the server listens on: all, without a password only loopback.")
    port: int = Field(9090, ge=1, le=65535, validation_alias=_also("PORT"), description="The server's port.")
    basic_auth_user: str | None = Field(
        None, validation_alias=_also("BASIC_AUTH_USER"), description="Who may use the server."
    )
    basic_auth_pass: SecretStr | None = Field(
        None, validation_alias=_also("BASIC_AUTH_PASS"), description="Their password."
    )
    webhook_secret: SecretStr | None = Field(None, description="What webhooks may carry instead of a password.")
    insecure: bool = Field(False, description="Listen beyond loopback without a password.")
    max_body_mb: float = Field(64, gt=0, description="Largest body of a request, in megabytes.")
    max_tasks: int = Field(50_000, ge=1, description="Maximum number of tasks in one request for predictions.")
    queue: str | None = Field(None, description="redis://HOST:PORT/DATABASE, if workers are separate processes.")
    workers: int = Field(2, ge=1, description="Projects that a worker rescores at the same time.")
    quiet_seconds: float = Field(1.0, ge=0, description="Seconds without events before a rescore begins.")
    longest_wait: float = Field(10.0, ge=0, description="Maximum number of seconds that a rescore waits for that.")
    poll_seconds: float = Field(60.0, gt=0, description="Seconds between two checks for changes that webhooks missed.")
    sweep_seconds: float = Field(3600.0, gt=0, description="Seconds between two checks of every task's state.")
    lease_seconds: float = Field(30.0, gt=0, description="Seconds after which a silent worker is given up.")
    model_dir: Path = Field(
        default_factory=lambda: data_directory() / "models",
        validation_alias=_also("MODEL_DIR"),
        description="Folder of trained models. Whoever can write there can run code here.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", validation_alias=_also("LOG_LEVEL"), description="What is logged."
    )

    @field_validator("url", "public_url")
    @classmethod
    def _plain_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        from httpx import URL, InvalidURL

        try:
            parts = urlsplit(value)
            well_formed = parts.scheme in ("http", "https") and bool(URL(value).host) and parts.port != 0
        except (ValueError, InvalidURL):  # the port is no number, or the host no name
            well_formed = False
        if not well_formed:
            raise ValueError("not an address: write it like http://localhost:8080")
        if parts.username is not None:  # httpx would send it in the place of the token
            raise ValueError("it has a user and a password: write it without them, and give Label Studio's token")
        return value.rstrip("/")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read a TOML file after the environment."""
        path = Path(os.environ.get(PREFIX + "CONFIG", CONFIG_FILE))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, path)

    @property
    def target(self) -> float:
        """The quality from which on a consensus is settled."""
        return TARGET_QUALITY[self.consensus] if self.target_quality is None else self.target_quality

    def names(self, setting: Literal["control", "ordered", "model_annotators"]) -> tuple[str, ...]:
        """Return the names in a setting."""
        return names_in(getattr(self, setting))

    def options(self) -> dict[str, Any]:
        """Return the per-project options that were set explicitly; `connect` stores them."""
        return self.model_dump(include=self.model_fields_set & set(PROJECT_OPTIONS))

    def as_environment(self) -> dict[str, str]:
        """Return the environment variables that set what is set explicitly here, for a process of ours."""
        found = {}
        for name in self.model_fields_set:
            value = getattr(self, name)
            if value is not None:
                plain = value.get_secret_value() if isinstance(value, SecretStr) else value
                found[PREFIX + name.upper()] = str(plain)
        return found

    def over(self, stored: Mapping[str, Any]) -> Settings:
        """Return these settings with `stored` options where nothing was set explicitly.

        Raises
        ------
        UserError
            If the two together contradict each other.
        """
        known = {name: value for name, value in stored.items() if name in PROJECT_OPTIONS}
        merged = self.model_copy(update={**known, **self.options()})
        if merged.min_labels is not None and merged.max_labels < merged.min_labels:
            raise UserError(
                f"Setting max_labels ({merged.max_labels}) is below min_labels ({merged.min_labels}): set both."
            )
        kind, _, version = merged.classifier.partition(":")
        if kind.strip() == "predictions" and version.strip() in merged.names("model_annotators"):
            raise UserError(
                f"Model version {version.strip()!r} is the classifier (classifier={merged.classifier}) and one of "
                "model_annotators, too: its word would count twice. Leave it out of one of the two."
            )
        return merged


def names_in(text: str | None) -> tuple[str, ...]:
    """Return the names in a text with commas between them, each once.

    Examples
    --------
    >>> names_in("gpt-5, detector-2,,gpt-5"), names_in(None)
    (('gpt-5', 'detector-2'), ())
    """
    return tuple(dict.fromkeys(filter(None, map(str.strip, str(text or "").split(",")))))


def is_own_code(classifier: str) -> bool:
    """Return whether a classifier is a user's own, ``package.module:factory``."""
    kind, colon, _ = classifier.partition(":")
    return bool(colon) and kind.strip() not in ("text", "tabular", "embedding", "predictions")


def parse_options(extra_params: Any) -> dict[str, Any]:
    """Return the options in a backend's extra parameters: an object, its JSON, or nothing.

    Raises
    ------
    UserError
        If it is neither, or an option is unknown, of a wrong value, or code of one's own.
    """
    if isinstance(extra_params, str):
        if not extra_params.strip():
            return {}
        try:
            extra_params = json.loads(extra_params)
        except (ValueError, RecursionError):
            raise UserError(
                'extra_params is not JSON: give an object such as {"target_quality": 0.9}, or nothing.'
            ) from None
    if extra_params is None:
        return {}
    if not isinstance(extra_params, Mapping):
        raise UserError(f"extra_params is a {type(extra_params).__name__}: give an object, or nothing.")
    extra_params = {str(name).replace("-", "_"): value for name, value in extra_params.items()}
    unknown = [name for name in extra_params if name not in PROJECT_OPTIONS]
    if unknown:
        raise UserError(f"extra_params has {unknown[0][:40]!r}; the options are {', '.join(PROJECT_OPTIONS)}.")
    if is_own_code(str(extra_params.get("classifier", ""))):
        raise UserError("extra_params names code as the classifier: that is allowed on the command line only.")
    given = {name: value for name, value in extra_params.items() if value is not None}
    checked = load(**given)
    checked.over({})
    return {name: getattr(checked, name) for name in given}


def load(**flags: Any) -> Settings:
    """Return the settings; `flags` are command-line values, None where not given.

    Raises
    ------
    UserError
        If a value is out of range or a name in the TOML file is unknown.
    """
    config = os.environ.get(PREFIX + "CONFIG")
    if config and not Path(config).is_file():
        raise UserError(f"{PREFIX}CONFIG names {config}, which is not a file: correct the path or unset it.")
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = _as_it_was_given(str(first["loc"][0]) if first["loc"] else "")
        if first["type"] == "extra_forbidden":
            raise UserError(
                f"There is no setting {name!r}. The settings are {', '.join(Settings.model_fields)}."
            ) from None
        message = _in_plain_words(first)
        # a value is shown only where it can be no secret
        secret = name in ("api_key", "basic_auth_pass", "webhook_secret") or "@" in str(first["input"])
        found = f" (found {first['input']!r})" if name in Settings.model_fields and not secret else ""
        raise UserError(f"Setting {name}: {message}{found}.") from None
    except ValueError as error:  # a TOML file that does not parse
        raise UserError(f"{config or CONFIG_FILE} is not valid TOML: {error}.") from None


def _as_it_was_given(name: str) -> str:
    """Return a setting's name, or that of the variable that gives it."""
    for field in Settings.model_fields.values():
        if isinstance(field.validation_alias, AliasChoices) and name in field.validation_alias.choices:
            return next((str(one) for one in field.validation_alias.choices if one in os.environ), name)
    return name


_KINDS: Final = {"int": "a whole number", "float": "a number", "bool": "true or false"}
_LIMITS: Final = {
    "greater_than_equal": "{ge:g} or more",
    "greater_than": "more than {gt:g}",
    "less_than_equal": "{le:g} or less",
    "less_than": "less than {lt:g}",
}


def _in_plain_words(error: Mapping[str, Any]) -> str:
    """Return what pydantic says is wrong with a value, as what is allowed."""
    kind = error["type"]
    if kind in _LIMITS:
        return "write " + _LIMITS[kind].format(**error["ctx"])
    if kind == "literal_error":
        return f"write {error['ctx']['expected']}"
    if kind.partition("_")[0] in _KINDS:
        return f"write {_KINDS[kind.partition('_')[0]]}"
    return str(error["msg"]).removeprefix("Value error, ")
