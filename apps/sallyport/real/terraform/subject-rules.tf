# Subjects of user certificates. The provider takes no variables in them.

terraform {
  required_providers {
    scc = { source = "SAP/scc" }
  }
}

provider "scc" {}

resource "scc_subject_pattern_rule" "technical" {
  description = "Technical users"
  condition = {
    variable = "user_type"
    operator = "is"
    value    = "Technical"
  }
  subject_pattern = {
    cn = "$${name}"
    ou = "Robots"
    o  = "Example"
    c  = "DE"
  }
}

resource "scc_subject_pattern_rule" "with_mail" {
  description = "Users that have an address"
  condition = {
    variable = "email"
    operator = "exist"
  }
  subject_pattern = {
    cn    = "$${login_name}"
    email = "$${email}"
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
