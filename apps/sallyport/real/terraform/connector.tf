# What belongs to the connector as a whole: its way to the cloud, and the backends that it trusts.

terraform {
  required_providers {
    scc = { source = "SAP/scc" }
  }
}

# Address and user come from the environment: SCC_INSTANCE_URL, SCC_USERNAME, SCC_PASSWORD, SCC_CA_CERTIFICATE.
provider "scc" {}

variable "changed" { type = bool }
variable "authority" { type = string }
variable "other_authority" { type = string }

resource "scc_proxy_settings" "way_out" {
  host     = var.changed ? "proxy-two.example" : "proxy-one.example"
  port     = var.changed ? 3129 : 3128
  user     = "outbound"
  password = "for the proxy"
}

resource "scc_backend_trust_store" "backends" {
  certificate = var.changed ? var.other_authority : var.authority
}

data "scc_proxy_settings" "seen" {
  depends_on = [scc_proxy_settings.way_out]
}

data "scc_backend_trust_store" "seen" {
  depends_on = [scc_backend_trust_store.backends]
}
