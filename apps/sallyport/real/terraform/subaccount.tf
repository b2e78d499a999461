# One subaccount that a user of the cloud side adds, and what the connector offers it; a second one that is added with authentication data.

terraform {
  required_providers {
    scc = { source = "SAP/scc" }
  }
}

provider "scc" {}

variable "changed" { type = bool }
variable "region" { type = string }
variable "subaccount" { type = string }
variable "cloud_user" { type = string }
variable "cloud_password" {
  type      = string
  sensitive = true
}
variable "authentication_data" {
  type      = string
  sensitive = true
}
variable "kubernetes_port" { type = number }

locals {
  subaccount = { region_host = var.region, subaccount = var.subaccount }
}

resource "scc_subaccount" "acme" {
  region_host              = var.region
  subaccount               = var.subaccount
  cloud_user               = var.cloud_user
  cloud_password           = var.cloud_password
  display_name             = var.changed ? "Acme, changed" : "Acme"
  description              = var.changed ? "later" : "first"
  connected                = true
  auto_trust_sync          = true
  auto_certificate_renewal = var.changed
}

resource "scc_subaccount_using_auth" "other" {
  authentication_data = var.authentication_data
  display_name        = "Other"
  description         = var.changed ? "later" : "first"
  connected           = !var.changed
}

resource "scc_system_mapping" "business" {
  region_host         = scc_subaccount.acme.region_host
  subaccount          = scc_subaccount.acme.subaccount
  virtual_host        = "business.virtual"
  virtual_port        = "443"
  internal_host       = var.changed ? "erp-two.internal" : "erp.internal"
  internal_port       = "8443"
  protocol            = "HTTPS"
  backend_type        = "abapSys"
  authentication_mode = var.changed ? "X509_RESTRICTED" : "X509_GENERAL"
  host_in_header      = var.changed ? "INTERNAL" : "VIRTUAL"
  description         = var.changed ? "later" : "first"
}

resource "scc_system_mapping" "functions" {
  region_host         = scc_subaccount.acme.region_host
  subaccount          = scc_subaccount.acme.subaccount
  virtual_host        = "functions.virtual"
  virtual_port        = "sapgw05"
  internal_host       = "erp.internal"
  internal_port       = "sapgw00"
  protocol            = "RFC"
  backend_type        = "abapSys"
  authentication_mode = "NONE"
  sid                 = "ERP"
  sap_router          = "/H/router.internal/S/3299"
  # The provider leaves them out when it makes a mapping, and sends them with a change.
  allowed_clients   = var.changed ? ["100", "200"] : []
  blacklisted_users = var.changed ? [{ client = "100", user = "SAP*" }] : []
}

resource "scc_system_mapping" "directory" {
  region_host         = scc_subaccount.acme.region_host
  subaccount          = scc_subaccount.acme.subaccount
  virtual_host        = "directory.virtual"
  virtual_port        = "636"
  internal_host       = var.changed ? "other.internal" : "some.internal"
  internal_port       = "636"
  protocol            = "LDAPS"
  backend_type        = "nonSAPsys"
  authentication_mode = "NONE"
}

resource "scc_system_mapping" "database" {
  region_host         = scc_subaccount.acme.region_host
  subaccount          = scc_subaccount.acme.subaccount
  virtual_host        = "database.virtual"
  virtual_port        = "5432"
  internal_host       = var.changed ? "other.internal" : "some.internal"
  internal_port       = "5432"
  protocol            = "TCP"
  backend_type        = "hana"
  authentication_mode = "NONE"
}

resource "scc_system_mapping" "secure_functions" {
  region_host         = scc_subaccount.acme.region_host
  subaccount          = scc_subaccount.acme.subaccount
  virtual_host        = "secure-functions.virtual"
  virtual_port        = "sapgw06s"
  internal_host       = var.changed ? "other.internal" : "some.internal"
  internal_port       = "sapgw06s"
  protocol            = "RFCS"
  backend_type        = "abapSys"
  authentication_mode = "NONE"
  snc_partner_name    = "p:CN=ERP, O=Example, C=DE"
}

resource "scc_system_mapping" "web_functions" {
  region_host         = scc_subaccount.acme.region_host
  subaccount          = scc_subaccount.acme.subaccount
  virtual_host        = "web-functions.virtual"
  virtual_port        = "44300"
  internal_host       = var.changed ? "other.internal" : "some.internal"
  internal_port       = "44300"
  protocol            = "RFCWS"
  backend_type        = "abapSys"
  authentication_mode = "NONE"
}

resource "scc_system_mapping_resource" "orders" {
  region_host               = scc_subaccount.acme.region_host
  subaccount                = scc_subaccount.acme.subaccount
  virtual_host              = scc_system_mapping.business.virtual_host
  virtual_port              = scc_system_mapping.business.virtual_port
  url_path                  = "/orders/open"
  enabled                   = !var.changed
  path_only                 = var.changed
  websocket_upgrade_allowed = var.changed
  description               = var.changed ? "later" : "first"
}

resource "scc_system_mapping_resource" "function" {
  region_host  = scc_subaccount.acme.region_host
  subaccount   = scc_subaccount.acme.subaccount
  virtual_host = scc_system_mapping.functions.virtual_host
  virtual_port = scc_system_mapping.functions.virtual_port
  url_path     = "BAPI_USER_GET"
  enabled      = true
}

resource "scc_domain_mapping" "cookies" {
  region_host     = scc_subaccount.acme.region_host
  subaccount      = scc_subaccount.acme.subaccount
  internal_domain = "internal"
  virtual_domain  = var.changed ? "elsewhere.example" : "virtual.example"
}

resource "scc_subaccount_k8s_service_channel" "database" {
  region_host      = scc_subaccount.acme.region_host
  subaccount       = scc_subaccount.acme.subaccount
  k8s_cluster_host = "cluster.example"
  k8s_service_id   = "1f2e3d4c-0000-4000-8000-000000000001"
  local_port       = var.kubernetes_port
  connections      = var.changed ? 3 : 1
  description      = var.changed ? "later" : "first"
  enabled          = var.changed
}

resource "scc_subaccount_abap_service_channel" "abap" {
  region_host            = scc_subaccount.acme.region_host
  subaccount             = scc_subaccount.acme.subaccount
  abap_cloud_tenant_host = "11111111-0000-4000-8000-000000000001.abap.example"
  instance_number        = var.changed ? 21 : 20
  connections            = var.changed ? 2 : 1
  comment                = var.changed ? "later" : "first"
  snc_encrypted          = false
  enabled                = false
  # The provider finds the channel that it has made by its host, so one after the other.
  depends_on = [scc_subaccount_k8s_service_channel.database]
}

resource "scc_subaccount_abap_service_channel" "abap_snc" {
  region_host            = scc_subaccount.acme.region_host
  subaccount             = scc_subaccount.acme.subaccount
  abap_cloud_tenant_host = "11111111-0000-4000-8000-000000000002.abap.example"
  instance_number        = 22
  connections            = 1
  comment                = var.changed ? "later" : "first"
  snc_encrypted          = true
  enabled                = false
  depends_on             = [scc_subaccount_abap_service_channel.abap]
}

data "scc_subaccounts" "seen" {
  depends_on = [scc_subaccount.acme, scc_subaccount_using_auth.other]
}

data "scc_subaccount_configuration" "seen" {
  region_host = scc_subaccount.acme.region_host
  subaccount  = scc_subaccount.acme.subaccount
}

data "scc_system_mappings" "seen" {
  region_host = local.subaccount.region_host
  subaccount  = local.subaccount.subaccount
  depends_on  = [scc_system_mapping.business, scc_system_mapping.functions, scc_system_mapping.directory, scc_system_mapping.database, scc_system_mapping.secure_functions, scc_system_mapping.web_functions]
}

data "scc_system_mapping" "seen" {
  region_host  = local.subaccount.region_host
  subaccount   = local.subaccount.subaccount
  virtual_host = scc_system_mapping.functions.virtual_host
  virtual_port = scc_system_mapping.functions.virtual_port
}

data "scc_system_mapping_resources" "seen" {
  region_host  = local.subaccount.region_host
  subaccount   = local.subaccount.subaccount
  virtual_host = scc_system_mapping.business.virtual_host
  virtual_port = scc_system_mapping.business.virtual_port
  depends_on   = [scc_system_mapping_resource.orders]
}

data "scc_system_mapping_resource" "seen" {
  region_host  = local.subaccount.region_host
  subaccount   = local.subaccount.subaccount
  virtual_host = scc_system_mapping.business.virtual_host
  virtual_port = scc_system_mapping.business.virtual_port
  url_path     = scc_system_mapping_resource.orders.url_path
}

data "scc_domain_mappings" "seen" {
  region_host = local.subaccount.region_host
  subaccount  = local.subaccount.subaccount
  depends_on  = [scc_domain_mapping.cookies]
}

data "scc_domain_mapping" "seen" {
  region_host     = local.subaccount.region_host
  subaccount      = local.subaccount.subaccount
  internal_domain = scc_domain_mapping.cookies.internal_domain
}

data "scc_subaccount_k8s_service_channels" "seen" {
  region_host = local.subaccount.region_host
  subaccount  = local.subaccount.subaccount
  depends_on  = [scc_subaccount_k8s_service_channel.database]
}

data "scc_subaccount_k8s_service_channel" "seen" {
  region_host = local.subaccount.region_host
  subaccount  = local.subaccount.subaccount
  id          = scc_subaccount_k8s_service_channel.database.id
}

data "scc_subaccount_abap_service_channels" "seen" {
  region_host   = local.subaccount.region_host
  subaccount    = local.subaccount.subaccount
  snc_encrypted = true
  depends_on    = [scc_subaccount_abap_service_channel.abap_snc]
}

data "scc_subaccount_abap_service_channel" "seen" {
  region_host   = local.subaccount.region_host
  subaccount    = local.subaccount.subaccount
  id            = scc_subaccount_abap_service_channel.abap.id
  snc_encrypted = false
}
