/**
 * Fields of messages that tell who somebody is, by message type: paths of the values that an export leaves out. Transactions, blocks and peer
 * ids are public on the network and stay. Decisions may compare these values and count them by network, never order by them.
 */
export const personalFields: ReadonlyMap<string, readonly string[]> = new Map([
  ['peer.opened', ['peer.ip', 'peer.agent']],
  ['peer.closed', ['goodbye.text']],
  ['gossip.fault', ['evidence']],
])
