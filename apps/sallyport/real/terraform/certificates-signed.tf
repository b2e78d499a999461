# Certificates that an authority has signed on a request of the connector.

terraform {
  required_providers {
    scc = { source = "SAP/scc" }
  }
}

provider "scc" {}

variable "system" { type = string }
variable "authority" { type = string }
variable "page" { type = string }

resource "scc_system_certificate_signed_chain" "system" {
  signed_chain = var.system
}

resource "scc_ca_certificate_signed_chain" "authority" {
  signed_chain = var.authority
}

resource "scc_ui_certificate_signed_chain" "page" {
  signed_chain = var.page
}
