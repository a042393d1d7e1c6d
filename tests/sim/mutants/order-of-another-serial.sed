# An order of another serial is carried out.
# file: agent/core/coord_change.c
s/error = order_is_for\(order, &now, failure\);/(void)now;/
