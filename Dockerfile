# The controller's image: one static program, nothing else that runs. `docker build -t kubeseal-rs/controller:0.1.0 .`

# Build stage: Debian 12 with the toolchain of rust-toolchain.toml; its C compiler builds aws-lc, nothing more is needed.
# It gives the next stage two files, the program and the certificate authorities.
FROM rust:1.95.0-bookworm AS build
WORKDIR /source
COPY . .
# glibc is linked in. It finds names by itself, in /etc/hosts and at the servers of /etc/resolv.conf, which the kubelet
# provides: since 2.34 these two ways need no files of glibc's at run time. Inside a cluster no name is looked up at all,
# since the API server's address comes by KUBERNETES_SERVICE_HOST. The target is named, so that the flag is not for build
# scripts; the controller is built by itself, so that it gets no feature that only other crates ask for.
RUN RUSTFLAGS="-C target-feature=+crt-static" cargo build --locked --release \
      --package kubeseal-rs-controller \
      --target "$(rustc -vV | sed -n 's/^host: //p')" --target-dir /build \
 && cp /build/*/release/controller /controller

# The image itself: no shell, no libraries, no users but a number. It writes nothing to its own file system.
FROM scratch
# For API servers with a public certificate (--kubeconfig); inside a cluster the service account brings its own.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /controller /usr/local/bin/controller
ENV PATH=/usr/local/bin
USER 65532:65532
EXPOSE 8080 8081
ENTRYPOINT ["controller"]
