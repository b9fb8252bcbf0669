/**
 * What may be said in Rockpool: values, actor messages, facts, the wire codec, transaction decoding, ports and their conformance suites,
 * error codes, limits. Functions here convert or check; they never decide. Not here: behaviour and I/O.
 */
export * from './errors.ts'
export * from './events.ts'
export * from './limits.ts'
export * from './messages/chain.ts'
export * from './messages/gossip.ts'
export * from './messages/index.ts'
export * from './messages/pool.ts'
export * from './messages/producer.ts'
export * from './messages/reply.ts'
export * from './messages/sync.ts'
export * from './metrics.ts'
export * from './ports.ts'
export * from './tx/record.ts'
export * from './tx/submission.ts'
export * from './values/block.ts'
export * from './values/bytes.ts'
export * from './values/peer.ts'
export * from './wire/topics.ts'
