"""Made rows that keep a fairness target exactly: what was asked, the cells, the quotas, the labels that change."""
