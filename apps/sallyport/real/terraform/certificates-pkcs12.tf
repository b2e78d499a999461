# Certificates that somebody else has made, with their keys.

terraform {
  required_providers {
    scc = { source = "SAP/scc" }
  }
}

provider "scc" {}

variable "changed" { type = bool }
variable "system" { type = list(string) }
variable "authority" { type = list(string) }
variable "page" { type = list(string) }

resource "scc_system_certificate_pkcs12_certificate" "system" {
  pkcs12_certificate = var.system[var.changed ? 1 : 0]
  password           = "opens it"
}

resource "scc_ca_certificate_pkcs12_certificate" "authority" {
  pkcs12_certificate = var.authority[var.changed ? 1 : 0]
  password           = "opens it"
  key_password       = "opens it"
}

resource "scc_ui_certificate_pkcs12_certificate" "page" {
  pkcs12_certificate = var.page[var.changed ? 1 : 0]
  password           = "opens it"
}
