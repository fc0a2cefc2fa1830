# What scratch/Dockerfile makes; here, because this is where `docker buildx bake` looks for it.
#
#   docker buildx bake              four images for this machine; make image does it, and loads them into Docker
#   docker buildx bake TARGET       register, binfmt, interpreters, tool, or every: as register, with every interpreter
#   docker buildx bake all          all five for every platform, and pushes them; needs a builder that can make several

variable "IMAGE" {
  default = "binfmt_register"
}

# Which interpreters: `containers`, for those of the platforms that container images are made for, `all`, or names such as
# `arm64,riscv64`.
variable "ARCHES" {
  default = "containers"
}

# Whose interpreters: `debian`, or `built` from its source with our patches, which takes half an hour the first time.
variable "QEMU" {
  default = "debian"
}

# How the layers of what is pushed are compressed: zstd, or gzip for engines that cannot read that.
variable "COMPRESSION" {
  default = "zstd"
}

target "register" {
  dockerfile = "scratch/Dockerfile"
  target     = "register"
  args       = { ARCHES = ARCHES, QEMU = QEMU }
  tags       = [IMAGE]
}

target "binfmt" {
  inherits = ["register"]
  target   = "binfmt"
  tags     = ["${IMAGE}:binfmt"]
}

target "interpreters" {
  inherits = ["register"]
  target   = "interpreters"
  tags     = ["${IMAGE}:interpreters"]
}

target "every" {
  inherits = ["register"]
  args     = { ARCHES = "all" }
  tags     = ["${IMAGE}:all"]
}

target "tool" {
  inherits = ["register"]
  target   = "tool"
  tags     = ["${IMAGE}:tool"]
}

group "default" {
  targets = ["register", "binfmt", "interpreters", "tool"]
}

target "all" {
  name      = "${kind}-all"
  matrix    = { kind = ["register", "binfmt", "interpreters", "every", "tool"] }
  inherits  = [kind]
  output    = ["type=registry,compression=${COMPRESSION},compression-level=${COMPRESSION == "zstd" ? 22 : 9},force-compression=true,oci-mediatypes=true"]
  platforms = ["linux/amd64", "linux/arm64", "linux/arm/v7", "linux/ppc64le", "linux/riscv64", "linux/s390x"]
}
