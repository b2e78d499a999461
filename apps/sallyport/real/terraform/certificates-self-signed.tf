# Certificates that the connector makes itself.

terraform {
  required_providers {
    scc = { source = "SAP/scc" }
  }
}

provider "scc" {}

variable "changed" { type = bool }

resource "scc_system_certificate_self_signed" "system" {
  key_size = 2048
  subject_dn = {
    cn    = var.changed ? "connector-two" : "connector"
    email = "admin@example.com"
    l     = "Berlin"
    ou    = "Landscape"
    o     = "Example"
    st    = "Berlin"
    c     = "DE"
  }
}

resource "scc_ca_certificate_self_signed" "authority" {
  key_size   = 2048
  subject_dn = { cn = var.changed ? "Principals two" : "Principals", o = "Example" }
}

resource "scc_ui_certificate_self_signed" "page" {
  key_size   = 2048
  subject_dn = { cn = var.changed ? "page-two.example" : "page.example" }
  subject_alternative_names = [
    { type = "DNS", value = "localhost" },
    { type = "IP", value = "127.0.0.1" },
  ]
}

data "scc_system_certificate" "seen" {
  depends_on = [scc_system_certificate_self_signed.system]
}

data "scc_ca_certificate" "seen" {
  depends_on = [scc_ca_certificate_self_signed.authority]
}
