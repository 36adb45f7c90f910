"""Early findings placed into real healthy images, with mask, alpha and every drawn value."""
