# Subjects of user certificates, changed. The provider takes no variables in them.

terraform {
  required_providers {
    scc = { source = "SAP/scc" }
  }
}

provider "scc" {}

resource "scc_subject_pattern_rule" "technical" {
  description = "Technical users, second version"
  condition = {
    variable = "user_type"
    operator = "is_not"
    value    = "Business"
  }
  subject_pattern = {
    cn = "$${name}"
    ou = "Machines"
    o  = "Example"
    c  = "DE"
  }
}

resource "scc_subject_pattern_rule" "with_mail" {
  description = "Users without an address"
  condition = {
    variable = "email"
    operator = "exist_not"
  }
  subject_pattern = {
    cn    = "$${login_name}"
    email = "nobody@example.com"
    l     = "Berlin"
    st    = "Berlin"
  }
}

data "scc_subject_pattern_rules" "seen" {
  depends_on = [scc_subject_pattern_rule.technical, scc_subject_pattern_rule.with_mail]
}

data "scc_subject_pattern_rule" "seen" {
  index = scc_subject_pattern_rule.technical.index
}
