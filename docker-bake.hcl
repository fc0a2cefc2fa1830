# What scratch/Dockerfile makes; here, because this is where `docker buildx bake` looks for it.
#
#   docker buildx bake              all four images for this machine; make image does it, and loads them into Docker
#   docker buildx bake TARGET       register, binfmt, interpreters or tool
#   docker buildx bake --push all   all four for every platform; needs a builder that can make several

variable "IMAGE" {
  default = "binfmt_register"
}

# Which interpreters: `all`, or names such as `arm64,riscv64`.
variable "ARCHES" {
  default = "all"
}

target "register" {
  dockerfile = "scratch/Dockerfile"
  target     = "register"
  args       = { ARCHES = ARCHES }
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
  matrix    = { kind = ["register", "binfmt", "interpreters", "tool"] }
  inherits  = [kind]
  platforms = ["linux/amd64", "linux/arm64", "linux/arm/v7", "linux/ppc64le", "linux/riscv64", "linux/s390x"]
}
