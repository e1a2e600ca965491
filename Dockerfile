# Drawbridge from source: docker build -t drawbridge .
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o /root-of-image/drawbridge ./cmd/drawbridge \
 && mkdir -p /root-of-image/etc/ssl/certs /root-of-image/data /root-of-image/tmp \
 && cp /etc/ssl/certs/ca-certificates.crt /root-of-image/etc/ssl/certs/

FROM scratch
COPY --from=build --chown=65532:65532 /root-of-image/ /
ENV DRAWBRIDGE_LISTEN=:8080 DRAWBRIDGE_DATABASE=sqlite:/data/drawbridge.db
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=6s --start-period=10s CMD ["/drawbridge", "healthcheck"]
ENTRYPOINT ["/drawbridge"]
CMD ["serve"]
