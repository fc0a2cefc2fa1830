# What scratch/Dockerfile makes; here, because this is where `docker buildx bake` looks for it.
#
#   docker buildx bake              four images for this machine, into Docker; make image does it
#   docker buildx bake TARGET       register, binfmt, interpreters, tool; every: as register, with every interpreter;
#                                   translations: as register, with interpreters that share them (docs/translations.md)
#   docker buildx bake all          a release: all five for every platform, pushed under all their tags, with SBOM and
#                                   provenance; needs a builder that can make several
#
# Every variable can be set in the environment.

# The name of the images; for `all` it may be several, by commas, as in several registries.
variable "IMAGE" {
  default = "binfmt_register"
}

# Of this package, as in Cargo.toml.
variable "VERSION" {
  default = "0.2.0"
}

# The commit, and its time in seconds since 1970: make image and .github/images ask git.
variable "REVISION" {
  default = ""
}

variable "SOURCE_DATE_EPOCH" {
  default = "0"
}

# Where all this comes from. A fork gives its own.
variable "SOURCE" {
  default = "https://github.com/deitch/binfmt_register"
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

# Of the interpreters: a label and a tag say it, and the build fails when it is not true. What is built from source is of the
# version in qemu/interpreters/version; Debian's package is updated within its series.
variable "QEMU_VERSION" {
  default = QEMU == "built" ? "10.0.13" : "10.0"
}

# How the layers of what is pushed are compressed: zstd, or gzip for engines that cannot read that.
variable "COMPRESSION" {
  default = "zstd"
}

# The tags of a release. X.Y.Z and X.Y.Z-qemu-A.B.C are never moved; X.Y, X and latest are. All but the target `register` have
# a name at the end, and that alone in place of latest. The tool alone has no QEMU.
function "tags" {
  params = [end]
  result = concat(
    [for version in [VERSION, regex("^[0-9]+[.][0-9]+", VERSION), regex("^[0-9]+", VERSION)] : "${version}${end}"],
    end == "-tool" ? [] : ["${VERSION}-qemu-${QEMU_VERSION}${end}"],
    [end == "" ? "latest" : trimprefix(end, "-")],
  )
}

target "register" {
  dockerfile = "scratch/Dockerfile"
  target     = "register"
  args = {
    ARCHES            = ARCHES
    QEMU              = QEMU
    QEMU_VERSION      = QEMU_VERSION
    SOURCE_DATE_EPOCH = SOURCE_DATE_EPOCH
  }
  labels = {
    "org.opencontainers.image.version"       = VERSION
    "org.opencontainers.image.revision"      = REVISION != "" ? REVISION : null
    "org.opencontainers.image.created"       = timeadd("1970-01-01T00:00:00Z", "${SOURCE_DATE_EPOCH}s")
    "org.opencontainers.image.source"        = SOURCE
    "org.opencontainers.image.url"           = SOURCE
    "org.opencontainers.image.documentation" = "${SOURCE}/blob/HEAD/docs/images.md"
    "org.opencontainers.image.vendor"        = "The binfmt_register authors"
  }
  tags   = [IMAGE]
  output = ["type=docker"]
  attest = ["type=provenance,disabled=true"]
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

target "translations" {
  inherits = ["register"]
  args     = { QEMU = "translations" }
  tags     = ["${IMAGE}:translations"]
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
  name = "${image.kind}-all"
  matrix = {
    image = [
      { kind = "register", end = "" },
      { kind = "binfmt", end = "-binfmt" },
      { kind = "interpreters", end = "-interpreters" },
      { kind = "every", end = "-all" },
      { kind = "tool", end = "-tool" },
    ]
  }
  inherits  = [image.kind]
  tags      = flatten([for name in split(",", IMAGE) : formatlist("${name}:%s", tags(image.end))])
  output    = ["type=registry,compression=${COMPRESSION},compression-level=${COMPRESSION == "zstd" ? 22 : 9},force-compression=true,oci-mediatypes=true"]
  platforms = ["linux/amd64", "linux/arm64", "linux/arm/v7", "linux/ppc64le", "linux/riscv64", "linux/s390x"]
  attest    = ["type=provenance,mode=max", "type=sbom"]
}
