"""Real tables in, made tables out: schema, rules, engines, sampling."""
