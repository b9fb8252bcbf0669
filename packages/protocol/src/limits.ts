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
  /** When an unjudged delivery is answered: early enough that the answer still meets whoever waits until the deadline. */
  verdictReplyMs: 1_900,
  /** Deliveries under judgement at once, and begun in one turn; the others wait in the ingress queues. */
  judgingTxMax: 64,
  judgingBlocksMax: 8,
  judgedPerTurn: 16,
  /** Announced blocks whose body is being fetched. */
  announcedBlocksMax: 64,
  /** A batch that nobody heard is sent again after this. */
  batchRetryMs: 1_000,
  /** Hashes of own transactions remembered, to publish them again after a reorg. */
  ownTxsMax: 32_768,
  /** Different reasons counted of what the network reports. */
  faultReasonsMax: 64,
  /** Deliveries waiting per topic, and of one peer in it. */
  ingressTxQueue: 1_024,
  ingressTxQueuePerPeer: 64,
  ingressBlockQueue: 64,
  ingressBlockQueuePerPeer: 8,
  /** Peers whose rate of messages is remembered. */
  ratePeersMax: 1_024,
  /** Transaction hashes remembered as known, and as provably bad. */
  knownTxsMax: 32_768,
  badTxsMax: 32_768,
  /** Recovered senders remembered by transaction hash. */
  recoveredTxsMax: 65_536,
  /** Signatures handed to a recovery worker at once. */
  recoveryBatchMax: 64,
  recoveryBatchesPerWorker: 4,
  /** Signatures waiting for a recovery worker; one more batch is refused with `load/queue-full`. */
  recoveryQueueMax: 65_536,
  /** Recovery threads at most by default. */
  recoveryWorkersMax: 4,
  /** A dead worker is started again after this, doubling; so many deaths within the window and a slower implementation takes over. */
  recoveryRestartMinMs: 100,
  recoveryRestartMaxMs: 5_000,
  recoveryDeathsMax: 3,
  recoveryDeathsWindowMs: 60_000,
  /** A recovery worker that is asked to end and has not after this is ended by force. */
  recoveryEndMs: 10_000,
  /** Bytes of writes joined into one group commit, and waiting for it; above the second a batch is refused with `load/queue-full`. */
  storeGroupBytes: 4_194_304,
  storeWaitingBytesMax: 67_108_864,
  /** After a failed write: how often it is looked whether the database can be opened again, and free bytes that this needs. */
  storeMendEveryMs: 1_000,
  storeMendBytes: 8_388_608,
  /** Entries of one scan unless asked otherwise. */
  storeScanDefault: 1_000,
  /** Encoded size of a block. */
  blockBytesMax: 4_194_304,
  /** Transactions of a block; the smallest that can pay its gas is above 64 bytes, so 4 MiB cannot hold more. */
  blockTxsMax: 65_536,
  /** Transaction bytes a producer puts into a block. */
  blockTxBytesMax: 3_670_016,
  /** Blocks waiting for their parent: count, bytes, age. */
  orphansMax: 64,
  orphanBytesMax: 16_777_216,
  orphanMs: 30_000,
  /** Side branches: heights below the head, blocks of one height. */
  sideHeightsMax: 512,
  sideBlocksPerHeight: 8,
  /** Encoded bytes of all side branches together. */
  sideBytesMax: 1_073_741_824,
  /** Blocks remembered because they failed execution, and for how long. */
  invalidBlocksMax: 1_024,
  invalidBlockMs: 3_600_000,
  /** Blocks of one producer at one height taken from gossip. */
  producerBlocksPerHeight: 5,
  /** Places in the chain that a devnet remembers to be set back to. */
  snapshotsMax: 1_024,
  /** How long a pool waits for the chain to be set back before it takes another branch for an ordinary one. */
  poolForgetMs: 30_000,
  /** Deepest reorg followed, and heights whose undo records are kept. */
  reorgDepthMax: 4_096,
  /** How far ahead of the chain clock a block may be. */
  blockFutureMs: 10_000,
  /** Chain clock of a devnet: slowest and fastest, as multiples of the wall clock; furthest jump, about ten years. */
  chainSpeedMin: 0.1,
  chainSpeedMax: 1_000,
  chainJumpMaxMs: 315_360_000_000,
  /** Blocks the chain keeps decoded in memory: count, encoded bytes. Others are read from the store. */
  residentBlocksMax: 256,
  residentBytesMax: 33_554_432,
  /** Transactions executed in one turn while a branch is tried; about 20 ms. */
  executeTxsPerTurn: 1_500,
  /** Fee rows of recent blocks kept for fee histories. */
  feeRowsMax: 1_024,
  /** Accounts of the dev chain. */
  accountsMax: 1_000_000,
  /** Blocks waiting for import. */
  importQueueMax: 256,
  /** Range protocol: blocks of one range request, bodies of one bodies request, heights of one hashes request, answer bytes. */
  rangeBlocksMax: 128,
  bodiesMax: 16,
  hashesMax: 64,
  rangeBytesMax: 4_194_304,
  /** Bytes of a range request, and of an answer that is not a block. */
  rangeRequestBytesMax: 1_024,
  rangeAnswerBytesMax: 4_096,
  rangeStreamsPerPeer: 4,
  rangeStreamsMax: 32,
  rangeRequestMs: 10_000,
  /** Range protocol, serving: bytes a second to one peer, peers whose use is remembered. */
  rangeBytesPerSecond: 8_388_608,
  rangePeersMax: 1_024,
  /** Range protocol, fetching: branches at once, announced bodies at once, tries of one request. */
  fetchesMax: 8,
  bodyFetchesMax: 16,
  fetchTriesMax: 3,
  /** Parents fetched one by one when the sender has left the branch it told of. */
  fetchParentsMax: 64,
  /** Heads of peers: one peer is asked this often; questions under way at once; peers remembered. */
  statusEveryMs: 1_000,
  /** The same while the own head moves at its usual pace: it is then known from gossip where the others are. */
  statusCalmEveryMs: 5_000,
  statusAsksMax: 8,
  statusPeersMax: 1_024,
  /** Catching up: peers tried in a row, blocks before the chain at once. */
  catchUpPeersMax: 3,
  catchUpOffersMax: 16,
  /** A peer that did not bring what it told of is not asked for so long, doubling; one that lied is left for the longest. */
  syncRestMs: 10_000,
  syncLeaveMs: 600_000,
  /** So often in a row a peer may fall short of the head it told of. */
  syncShortsMax: 3,
  /** Blocks behind the heaviest head heard of up to which the chain does not count as syncing. */
  syncingGap: 16,
  /** How long a started node that expects peers waits to learn where they are before it counts as in step. */
  settleMs: 10_000,
  /** What of the next blocks is recovered while one is executed: blocks, transactions. */
  recoverAheadBlocksMax: 8,
  recoverAheadTxsMax: 4_096,
  /** Reorgs remembered, and hashes of each side of one. */
  reorgsKept: 64,
  reorgHashesKept: 64,
  /** A forced reorg is begun again so often when the network outran it. */
  reorgTriesMax: 5,
  /** Pool sync frames: prefixes of one ids answer, prefixes of one get, bytes of a request and of an answer. */
  poolSyncIdsMax: 4_096,
  poolSyncGetMax: 256,
  poolSyncRequestBytesMax: 4_096,
  poolSyncAnswerBytesMax: 139_264,
  /** Transaction bytes after which an answer to a get ends; one transaction may pass it. */
  poolSyncTxsBytes: 131_072,
  /** Pool sync, asking: gets of one exchange, exchanges with and gets from one peer in a window, exchanges at once. */
  poolSyncGetsMax: 12,
  poolSyncExchangesPerPeer: 10,
  poolSyncGetsPerPeer: 60,
  poolSyncExchangesMax: 4,
  poolSyncWindowMs: 10_000,
  poolSyncRequestMs: 5_000,
  poolSyncExchangeMs: 10_000,
  /** Pool sync: an exchange after a peer has come, after a useful one, after a peer that differs has asked; the last once in this time. */
  poolSyncOpenedMs: 250,
  poolSyncAgainMs: 1_000,
  poolSyncReturnMs: 250,
  poolSyncReturnEveryMs: 1_000,
  /** Transactions the pool refused are not asked for again for this long, or until the head moves; prefixes remembered. */
  poolSyncRefusedMs: 30_000,
  poolSyncRefusedMax: 32_768,
  /** Pool sync, serving one peer: hellos and gets in a window, bytes a second and at once; peers whose use is remembered. */
  poolSyncHellosServed: 12,
  poolSyncGetsServed: 72,
  poolSyncBytesPerSecond: 1_048_576,
  poolSyncBytesBurst: 2_097_152,
  poolSyncPeersMax: 1_024,
  /** Pool sync: what a peer that is not listened to is told to wait. Seconds. */
  poolSyncShutSeconds: 60,
  /** Pool sync, serving all: requests a second, requests waiting, waiting of one IP group, streams of one peer. */
  poolSyncServedPerSecond: 20,
  poolSyncWaitingMax: 64,
  poolSyncWaitingPerGroup: 32,
  poolSyncStreamsPerPeer: 16,
  /** Announced transactions: time to fetch them from who announced them, announcements being fetched, of one peer, its gets in a window. */
  announcedTxsMs: 1_500,
  announcedTxsMax: 64,
  announcedTxsPerPeer: 8,
  announcedGetsPerPeer: 12,
  /** Bytes by which the size of an announced transaction may be wrong. */
  announcedSizeSlack: 8,
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
  /** Entries an unread filter may hold; one that overflows is removed, so that its reader notices. */
  rpcFilterItemsMax: 16_384,
  /** Questions of all RPC callers under way at one actor: below its mailbox, so that gossip and the head still find room. */
  rpcAsksMax: { chain: 192, pool: 768, producer: 64 },
  /** Questions that wait in line for one of these places. */
  rpcAsksWaitingMax: 8_192,
  /** Calls of one batch under way at once. */
  rpcBatchAhead: 128,
  /** Calls of one WebSocket connection under way at once; beyond it its socket is not read. */
  rpcSocketCallsMax: 64,
  /** Calls that make large answers, at once on the node. */
  rpcExpensiveMax: 4,
  /** eth_sendTransaction calls of one sender that wait for their nonce. */
  rpcSendsWaitingMax: 1_024,
  /** Calls of eth_sendRawTransactionSync that wait for a block. */
  rpcMinedWaitsMax: 1_024,
  /** Token bucket of one client address (IPv6: /64) outside loopback: refill a second, size; addresses remembered. */
  rpcRatePerSecond: 1_000,
  rpcRateBurst: 2_000,
  rpcClientsMax: 4_096,
  /** Connections of one client address outside loopback. */
  rpcConnectionsPerClient: 64,
  /** Time for all headers, for the whole request, and between two requests of a connection. */
  rpcHeadersMs: 10_000,
  rpcRequestMs: 30_000,
  rpcKeepAliveMs: 65_000,
  rpcHeaderBytes: 16_384,
  rpcHeadersMax: 100,
  /** WebSocket ping; a client that has not answered the last one is cut off. */
  rpcPingMs: 30_000,
  /** eth_feeHistory: blocks and percentiles of one call. */
  feeHistoryBlocksMax: 1_024,
  feeHistoryPercentilesMax: 100,
  /** Blocks one devnet_mine call may ask for. */
  mineBlocksMax: 256,
  /** Frames of one peer's gossip stream: bytes and frames a second, and what may come at once. Beyond it a frame is dropped unread. */
  wireBytesPerSecond: 4_194_304,
  wireBytesBurst: 8_388_608,
  wireFramesPerSecond: 500,
  wireFramesBurst: 1_000,
  /** Largest gossip frame read. A lower one turns honest answers to IWANT into disconnections. */
  wireFrameBytesMax: 4_194_304,
  /** Largest gossip frame sent that holds more than one message. */
  wireFrameOutBytes: 524_288,
  /** Time until a new stream has agreed on its protocol. */
  streamOpenMs: 2_000,
  /** Bytes waiting to be sent to one gossip peer; beyond it its stream is aborted. */
  wireSendBufferBytes: 8_388_608,
  /** Gossip topics of one node: four kinds under two fork digests, and room. */
  gossipTopicsMax: 16,
  /** Sets of labels of one series that a library counts. */
  librarySamplesMax: 128,
  /** Largest payload handed to the router; what the largest topic allows, doubled. */
  publishBytesMax: 524_288,
  /** Request streams: frames of one answer, time to read a request, time to make and send the answer. */
  answerFramesMax: 4_096,
  requestReadMs: 10_000,
  answerMs: 30_000,
  /** Request streams when the protocol names no bounds of its own. */
  requestBytesMax: 131_072,
  requestStreamsPerPeer: 4,
  /** Largest frame of the goodbye protocol, its text, and how long one waits for it to be read. */
  goodbyeBytesMax: 128,
  goodbyeMs: 1_000,
  /** Connections get this long to close; then they are aborted. */
  hangUpMs: 500,
  /** A connection on which the other side does not identify itself by then is closed. */
  identifyMs: 10_000,
  /** Peer exchange: peers of one answer, bytes of one record, of a request and of an answer, answers under way, and time between two to one peer. */
  exchangePeersMax: 16,
  exchangeRecordBytesMax: 2_048,
  exchangeRequestBytesMax: 16,
  exchangeAnswerBytesMax: 33_000,
  exchangeAnswersMax: 16,
  exchangeServedEveryMs: 10_000,
  exchangeMs: 5_000,
  /** Peers to dial: tellers remembered, good peers kept on disk and for how long, cool-downs, addresses of one peer. */
  tellersMax: 64,
  goodPeersMax: 256,
  goodPeersMs: 604_800_000,
  coolDownsMax: 4_096,
  peerAddrsMax: 8,
  /** Dials by the connector: at once, and time for each. */
  dialsAtOnce: 4,
  dialMs: 10_000,
  /** Addresses from which somebody was refused lately. */
  refusedGroupsMax: 4_096,
  /** Peers whose life is followed. */
  peerLivesMax: 4_096,
  /** Static peers and bootnodes together. */
  staticPeersMax: 256,
  /** Devnet faults: rules one node holds, the longest latency or jitter, and bytes that may wait on one faulted connection before its writer
   * is held back, as a full socket buffer would. */
  linkRulesMax: 256,
  linkDelayMaxMs: 60_000,
  linkWaitingBytes: 1_048_576,
  /** Pool: wait for account state, pause before a head's state is asked for again, beat of expiry. */
  poolAccountsMs: 5_000,
  poolHeadRetryMs: 250,
  poolExpireMs: 60_000,
  /** Pool: batches of submissions whose senders are being recovered at once, and submissions of one batch. */
  poolRecoveringMax: 8,
  poolRecoveringTxsMax: 64,
  /** Pool: bytes of submissions waiting for their senders. */
  poolIntakeBytesMax: 67_108_864,
  /** Pool: turns whose record is on its way to the disk; the next one waits. Pause before journaled senders are recovered again. */
  poolTurnsWritingMax: 64,
  poolJournalRetryMs: 1_000,
  /** Tracker: own transactions followed at once. Later ones are pooled and forgotten with the process. */
  trackedMax: 4_096,
  /** Tracker: own nonces that blocks have used, followed again when a reorg frees them. */
  trackedMinedMax: 8_192,
  /** Tracker: looks for what the pool has lost, longest wait of one that is refused again and again, transactions submitted again at one look. */
  trackerFirstMs: 2_000,
  trackerRecheckMs: 60_000,
  resubmittedPerRecheck: 256,
  /** Tracker: looks for what is pending long, how far its times are spread, transactions published again at one look. */
  republishLookMs: 15_000,
  republishJitterMs: 30_000,
  republishedPerLook: 256,
  /** Not again any sooner: routers still know what they saw two minutes ago. */
  republishLeastMs: 120_001,
  /** The monitor: between two ticks, peers judged at once for a provable offence in one tick, peers of the rotation in one tick at most. */
  monitorTickMs: 1_000,
  urgentPerTick: 16,
  rotationPerTickMax: 64,
  /** Reputation: peers held, entries of one peer's history, how long a history is kept, old records dropped at once, records dropped for room. */
  reputationPeersMax: 4_096,
  reputationHistoryMax: 64,
  reputationHistoryMs: 604_800_000,
  reputationPrunedMax: 20,
  reputationEvictedMax: 256,
  /** Reputation: reasons counted of one peer, IP groups it was seen on, IP groups held, distinct banned ids and ends of bans kept of one group. */
  reputationReasonsMax: 48,
  reputationGroupsOfPeerMax: 16,
  reputationGroupsMax: 8_192,
  groupIdsMax: 16,
  groupBansMax: 8,
  /** A peer that could not be banned is not listened to for this long. */
  quarantineMs: 3_600_000,
  /** Charges of all peers kept for a dry run of other rules; they are kept as long as a history. */
  chargeLogMax: 10_000,
  /** A dial that an operator asked for. */
  operatorDialMs: 30_000,
  /** Bans taken in from one file. */
  importedBansMax: 10_000,
  /** Charges that can still be refunded when this node turns out to be the one that is not well, and how far back. */
  refundableMax: 16_384,
  refundMs: 60_000,
  /** The guard: peers lost, and peers charged with one reason, that it looks back on. */
  guardEventsMax: 4_096,
  /** Evidence that reports of one peer and reason take along when the monitor's mailbox is full. */
  reportEvidenceMax: 16,
  /** Reputation: changed records are written this often. */
  reputationFlushMs: 5_000,
  /** Bans with an end, without one, and of address ranges. */
  bansMax: 65_536,
  permanentBansMax: 4_096,
  subnetBansMax: 1_024,
  /** A ban that is over counts for this long; then it is dropped, so many a minute. Ends remembered of one subject, ids of evidence of one ban. */
  banHistoryMs: 2_592_000_000,
  bansPrunedPerMinute: 20,
  banEarlierMax: 8,
  banEvidenceMax: 4,
  /** What a failed write of bans waits before it is tried again. */
  banRetryMs: 5_000,
  /** Peers an operator has protected. */
  protectedPeersMax: 256,
  /** Text of an operator with a ban; detail and evidence of a charge. Bytes. */
  banNoteBytesMax: 256,
  chargeTextBytesMax: 128,
  /** Events of one answer to why: the first ones and the last ones. */
  storyFirst: 4,
  storyLast: 12,
  /** Transactions remembered with who brought them first, until they are mined. */
  creditedTxsMax: 32_768,
  /** Recording: a frame is closed at this size or age; bytes that may wait for the disk before the recording ends. */
  recordFrameBytes: 65_536,
  recordFrameMs: 250,
  recordWaitingBytesMax: 8_388_608,
  /** Recording: longer byte strings stand there once; so many of them, and so many shapes of records, are remembered. */
  recordBlobBytesMin: 4_096,
  recordRememberedMax: 4_096,
  recordDepthMax: 64,
  /** Pool: events of one story (the first four and the last), missing nonces named, senders whose lost nonces are remembered. */
  storyEventsMax: 16,
  missingNoncesMax: 16,
  storyParentsMax: 4_096,
  /** Pool: candidates named for a short hash. */
  shortHashMatchesMax: 8,
  /** Tower: bytes of a locator; the least blob that can hold a transaction; bytes of one slot. */
  towerLocatorBytes: 16,
  towerBlobBytesMin: 76,
  towerSlotBytes: 2_048,
  /** Tower: signatures recovered at once, and requests waiting for that; the next is refused and its sender comes back. */
  towerRecoveriesAtOnce: 16,
  towerRequestsWaitingMax: 4_096,
  /** Tower: additions and rows of a block that become one write; writes under way before requests are refused. */
  towerGroupMax: 64,
  towerWritesMax: 64,
  /** Tower: failed writes in a row until the public listener closes, and when it is tried again. */
  towerStoreFailuresMax: 3,
  towerStoreRetryMs: 1_000,
  /** Tower: restarts of its actors before the node gives up, within that time. */
  towerRestartsMax: 20,
  towerRestartsWithinMs: 60_000,
  /** Tower: rows of one locator, of an expiry or of a list read at once. */
  towerRowsPerTurn: 256,
  /** Tower: hashes of the own branch kept on disk with the tip, and the deepest reorg that is followed. */
  towerHashesKept: 100,
  /** Tower: blocks asked for ahead; how long one is waited for; when it is asked for again, doubling. */
  towerBodiesAhead: 4,
  towerBlockAskMs: 30_000,
  towerBlockRetryMinMs: 1_000,
  towerBlockRetryMaxMs: 60_000,
  /** Tower: live trackers in memory; those beyond wait on disk. */
  towerTrackersMax: 100_000,
  /** Tower: broadcasts under way at once, and how long one may take. */
  towerSendsMax: 4,
  towerSendMs: 30_000,
  /** Tower: a penalty is final this deep; one that stays in the mempool so many blocks is sent again. */
  towerResolvedDepth: 100,
  towerRetryBlocks: 6,
  /** Tower: slots of a deleted appointment come back after so many blocks; the farthest end a request to delete may have. */
  towerReturnBlocks: 144,
  /** Tower: renewals of one user within so many blocks. */
  towerRenewalsMax: 8,
  towerRenewalBlocks: 144,
  /** Tower: addresses and users whose rates are counted; the one not heard of longest is forgotten. */
  towerBucketsMax: 65_536,
  /** Tower: depth and fields of a JSON body. */
  towerJsonDepthMax: 3,
  towerJsonFieldsMax: 16,
  /** Tower: bodies of all requests but additions. Bytes. */
  towerBodyBytes: 1_024,
  /** Tower: time for headers, for a request, between two of a connection, and for an answer of the watcher. */
  towerHeadersMs: 10_000,
  towerRequestMs: 30_000,
  towerKeepAliveMs: 5_000,
  towerAnswerMs: 10_000,
  /** Tower: headers of a request. Bytes. */
  towerHeaderBytes: 16_384,
  /** Tower: connections told that there are too many, at once; beyond them the listener waits. */
  towerRefusalsMax: 64,
  /** Tower: events of one row's story that are kept from its end. */
  towerStoryMax: 64,
  /** Tower: waiting for its bitcoin node doubles from the first to the second; questions to it at once; largest answer. */
  towerBackendRetryMinMs: 1_000,
  towerBackendRetryMaxMs: 60_000,
  towerBackendCallsMax: 8,
  towerBackendAnswerBytesMax: 67_108_864,
  /** Tower: largest frame of a bitcoin node's notices; when a lost connection to them is tried again, doubling. */
  towerHintFrameBytesMax: 1_048_576,
  towerHintRetryMinMs: 1_000,
  towerHintRetryMaxMs: 30_000,
  /** Tower: breaches remembered for an operator; rows of one answer to him. */
  towerBreachesKept: 1_000,
  towerListMax: 1_000,
  /** Mailboxes. */
  mailbox: {
    watcher: 4_096,
    backend: 256,
    responder: 4_096,
    chain: 256,
    producer: 256,
    sync: 256,
    gossip: 1_024,
    monitor: 4_096,
    reconciler: 1_024,
    connector: 1_024,
    pool: 1_024,
    node: 256,
    observer: 4_096,
  },
} as const
