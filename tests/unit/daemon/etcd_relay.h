/* etcd_relay.h - the loop that the relays and liars of etcd_rig.h share. */
#ifndef ETCD_RELAY_H
#define ETCD_RELAY_H

void relay_step(void);

#endif
