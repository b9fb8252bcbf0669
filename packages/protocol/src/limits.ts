/** Every bound of the node in one place, a sentence each. Milliseconds, bytes and counts as named. */
export const limits = {
  /** Largest transaction the pool takes; geth's txMaxSize. */
  txBytesMax: 131_072,
  /** Size of one pool slot; geth's txSlotSize. */
  txSlotBytes: 32_768,
  /** Entries of a gossip batch of transactions. */
  gossipTxsMax: 64,
  /** Payload of a gossip batch of transactions. */
  gossipTxBytesMax: 65_600,
  /** Transaction bytes gathered before a batch is sent. */
  batchBytes: 16_384,
  /** Longest wait of the first transaction of a batch. */
  batchDelayMs: 15,
  /** Batches waiting to be sent. */
  batchesWaitingMax: 64,
  /** A transaction larger than this is announced, not sent. */
  gossipTxAloneBytesMax: 65_536,
  /** Payload of a whole block on gossip; larger ones are announced. */
  gossipBlockBytesMax: 262_144,
  gossipAnnounceBytesMax: 1_024,
  /** Entries of a transaction announcement. */
  gossipAnnouncesMax: 16,
  /** A delivery not judged by then is IGNOREd; late work is still used locally. */
  verdictDeadlineMs: 2_000,
  /** Deliveries waiting per topic, and of one peer in it. */
  ingressTxQueue: 1_024,
  ingressTxQueuePerPeer: 64,
  ingressBlockQueue: 64,
  ingressBlockQueuePerPeer: 8,
  /** Transaction hashes remembered as known, and as provably bad. */
  knownTxsMax: 32_768,
  badTxsMax: 32_768,
  /** Recovered senders remembered by transaction hash. */
  recoveredTxsMax: 65_536,
  /** Signatures handed to a recovery worker at once. */
  recoveryBatchMax: 64,
  recoveryBatchDelayMs: 2,
  recoveryBatchesPerWorker: 4,
  /** Encoded size of a block. */
  blockBytesMax: 4_194_304,
  /** Transaction bytes a producer puts into a block. */
  blockTxBytesMax: 3_670_016,
  /** Blocks waiting for their parent: count, bytes, age. */
  orphansMax: 64,
  orphanBytesMax: 16_777_216,
  orphanMs: 30_000,
  /** Side branches: heights below the head, blocks of one height. */
  sideHeightsMax: 512,
  sideBlocksPerHeight: 8,
  /** Blocks of one producer at one height taken from gossip. */
  producerBlocksPerHeight: 5,
  /** Deepest reorg followed, and heights whose undo records are kept. */
  reorgDepthMax: 4_096,
  /** How far ahead of the chain clock a block may be. */
  blockFutureMs: 10_000,
  /** Accounts of the dev chain. */
  accountsMax: 1_000_000,
  /** Blocks waiting for import. */
  importQueueMax: 256,
  /** Range protocol: blocks of one range request, bodies of one bodies request, heights of one hashes request, answer bytes. */
  rangeBlocksMax: 128,
  bodiesMax: 16,
  hashesMax: 64,
  rangeBytesMax: 4_194_304,
  rangeStreamsPerPeer: 4,
  rangeStreamsMax: 32,
  rangeRequestMs: 10_000,
  /** Labels for wallets below the head; no promise. */
  safeDepth: 32,
  finalizedDepth: 64,
  /** Deeper height differences are not reinjected; geth's rule. */
  reinjectDepthMax: 64,
  /** Heads kept by the head window. */
  headWindow: 300,
  /** JSON-RPC: body, batch, answer bytes, connections, nesting, deadline. */
  rpcBodyBytes: 5_242_880,
  rpcBatchMax: 1_000,
  rpcResponseBytes: 25_000_000,
  rpcConnectionsMax: 1_024,
  rpcDepthMax: 32,
  rpcDeadlineMs: 10_000,
  /** WebSocket subscriptions per connection; notifications and bytes a slow client may lag. */
  rpcSubscriptionsMax: 64,
  rpcLagMax: 1_024,
  rpcLagBytes: 4_194_304,
  /** Filters of eth_newFilter kind, and how long an unread one lives. */
  rpcFiltersMax: 1_024,
  rpcFilterMs: 300_000,
  /** Mailboxes. */
  mailbox: {
    chain: 256,
    producer: 256,
    sync: 256,
    gossip: 1_024,
    pool: 1_024,
    node: 256,
    observer: 4_096,
  },
} as const
