# syntax=docker/dockerfile:1
FROM rust:1.95-slim-bookworm AS build
# aws-lc and SQLite are compiled from C. libc6-dev is also what is linked into the binary.
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo clean --release --locked -p vestibule && cargo build --release --locked -p vestibule \
 && install -D target/release/vestibule /out/vestibule
# The directory of the embedded store, owned by the account that the service runs as.
RUN install -d -m 0700 -o 65532 -g 65532 /out/var

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /out/vestibule /usr/local/bin/vestibule
COPY --from=build --chown=65532:65532 /out/var /data/var
WORKDIR /data
VOLUME /data/var
USER 65532:65532
ENV VESTIBULE_HTTP__LISTEN=0.0.0.0:8080 VESTIBULE_LOG__FORMAT=json
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=2s --start-period=5s --retries=3 CMD ["vestibule", "healthcheck"]
ENTRYPOINT ["vestibule"]
CMD ["serve", "--migrate"]
