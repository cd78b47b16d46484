# syntax=docker/dockerfile:1
# label-studio-crowd: `serve` by default; docker-compose.yml runs `worker` from the same image.

FROM python:3.12-slim AS build
RUN python -m venv /opt/crowd
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY crowdcore crowdcore
COPY plugin plugin
RUN --mount=type=cache,target=/root/.cache/pip \
    /opt/crowd/bin/pip install --disable-pip-version-check '.[postgresql,redis]'

FROM python:3.12-slim
# The OpenMP runtime that scikit-learn and numba use comes with their wheels: nothing to install from Debian.
RUN useradd --uid 1000 --create-home crowd && install --directory --owner=crowd --group=crowd /models
COPY --from=build /opt/crowd /opt/crowd
ENV PATH=/opt/crowd/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MODEL_DIR=/models \
    NUMBA_CACHE_DIR=/models/compiled
USER crowd
WORKDIR /home/crowd
VOLUME /models
EXPOSE 9090
ENTRYPOINT ["label-studio-crowd"]
CMD ["serve", "--host", "0.0.0.0"]
