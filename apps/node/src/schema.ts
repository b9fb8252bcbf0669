import type { SettingValue, ValueSchema } from './values.ts'
import * as is from './values.ts'

/** One configuration key: the same spelling in file and flag; the environment name follows from it. */
export interface Setting {
  readonly key: string
  /** Absent: the value is worked out at start. */
  readonly default?: SettingValue
  readonly value: ValueSchema
  readonly sentence: string
  /** True for a flag that may stand without a value. */
  readonly bare?: boolean
}

const setting = (
  key: string,
  value: ValueSchema,
  fallback: SettingValue | undefined,
  sentence: string,
): Setting => ({
  key,
  value,
  sentence,
  ...(fallback === undefined ? {} : { default: fallback }),
  ...(value === is.flag ? { bare: true } : {}),
})

/** Every key this program reads. */
export const settings: readonly Setting[] = [
  setting('network', is.oneOf('dev'), 'dev', 'Network preset.'),
  setting('datadir', is.text, undefined, 'Data directory; default ~/.rockpool/<network>.'),
  setting(
    'chain.genesis',
    is.text,
    undefined,
    'Genesis file of the dev chain (TOML or JSON); default: built in, this node the only producer.',
  ),
  setting(
    'chain.mining',
    is.oneOf('interval', 'on-demand', 'manual'),
    undefined,
    'When blocks are made; default follows the block time of the genesis.',
  ),
  setting(
    'chain.block-time',
    is.duration,
    undefined,
    'Time between blocks of the built-in genesis; 0 makes a block when a transaction waits.',
  ),
  setting('p2p.listen.ip', is.text, '0.0.0.0', 'Address libp2p listens on.'),
  setting('p2p.listen.tcp', is.port, 7625, 'TCP port of libp2p; 0 asks the system.'),
  setting(
    'p2p.advertise.ip',
    is.text,
    undefined,
    'Address told to other nodes instead of the listening one.',
  ),
  setting(
    'p2p.advertise.tcp',
    is.port,
    undefined,
    'Port told to other nodes instead of the listening one.',
  ),
  setting('p2p.static', is.list, [], 'Multiaddrs with /p2p/<id> that are dialled for ever.'),
  setting(
    'p2p.bootnodes',
    is.list,
    [],
    'Multiaddrs with /p2p/<id> that are dialled to find the network.',
  ),
  setting(
    'p2p.profile',
    is.oneOf('devnet', 'small', 'public'),
    'public',
    'Mesh and score parameters by network size.',
  ),
  setting(
    'p2p.peers.lo',
    is.wholeNumber(0, 1_000),
    20,
    'Peers wanted; with fewer others are looked for and dialled.',
  ),
  setting(
    'p2p.peers.hi',
    is.wholeNumber(1, 1_000),
    30,
    'Peers kept; with more for longer than the grace some are sent away.',
  ),
  setting(
    'p2p.peers.max',
    is.wholeNumber(1, 1_000),
    40,
    'Peers taken; beyond it nobody is let in.',
  ),
  setting('p2p.peers.grace', is.duration, 30_000, 'How long there may be too many peers.'),
  setting(
    'p2p.bootnode',
    is.flag,
    false,
    'Take callers up to p2p.peers.max, tell each whom else to ask, and send it away when full.',
  ),
  setting(
    'p2p.ban.peers',
    is.flag,
    true,
    'Ban peers for what they provably do wrong; false: only an operator bans.',
  ),
  setting(
    'p2p.ban.threshold',
    is.wholeNumber(-200, -50),
    -100,
    'Score below which a peer is banned; the score itself is kept.',
  ),
  setting(
    'p2p.ban.duration',
    is.interval,
    3_600_000,
    'Length of a first ban, at least 1s; later ones within 30 days are 6, 24 and 168 times as long.',
  ),
  setting(
    'p2p.ban.persistence',
    is.oneOf('disk', 'memory'),
    'disk',
    'Where bans and scores are kept; with memory a restart forgives everybody.',
  ),
  setting(
    'p2p.ban.ip-threshold',
    is.wholeNumber(0, 16),
    5,
    'Distinct ids of one IP group banned within a day that have the group banned; 0: never. Not on devnets.',
  ),
  setting(
    'p2p.ban.budget',
    is.share,
    0.1,
    'Part of the connected peers that may be banned in a minute, one at least; more are put in quarantine.',
  ),
  setting(
    'p2p.ban.min-peers',
    is.wholeNumber(0, 64),
    undefined,
    'Peers that no ban takes away; without it 1, 3 or 6 by the profile.',
  ),
  setting(
    'p2p.guard.disable',
    is.flag,
    false,
    'Hold it against peers that they seem slow also while this node itself is not well.',
  ),
  setting(
    'p2p.guard.lag',
    is.duration,
    500,
    'Event loop lag (p99 of a minute) above which this node is not well.',
  ),
  setting(
    'p2p.guard.share',
    is.share,
    0.3,
    'Part of the peers this node dialled of which one liveness reason at once says more about this node.',
  ),
  setting(
    'p2p.guard.jump',
    is.duration,
    2_000,
    'Jump of the wall clock above which this node is not well.',
  ),
  setting(
    'p2p.monitor.budget-per-tick',
    is.perTick,
    '1',
    'Peers whose score is looked at in a second, at most 64; auto looks at all within 30 s.',
  ),
  setting(
    'p2p.sync.disable',
    is.flag,
    false,
    'Do not ask peers for transactions this node missed; theirs are still answered.',
  ),
  setting(
    'p2p.sync.interval',
    is.interval,
    10_000,
    'Time between two such questions without a cause, each to a peer drawn at random; at least 1s.',
  ),
  setting('txpool.pricelimit', is.wei, 1n, 'Least tip per gas that is taken.'),
  setting(
    'txpool.pricebump',
    is.wholeNumber(0),
    10,
    'Percent by which both fees must rise to replace a transaction.',
  ),
  setting(
    'txpool.accountslots',
    is.wholeNumber(0),
    16,
    'Executable transactions guaranteed to each account.',
  ),
  setting(
    'txpool.globalslots',
    is.wholeNumber(0),
    5_120,
    'Executable transactions of all accounts.',
  ),
  setting('txpool.accountqueue', is.wholeNumber(0), 64, 'Waiting transactions of one account.'),
  setting('txpool.globalqueue', is.wholeNumber(0), 1_024, 'Waiting transactions of all accounts.'),
  setting('txpool.lifetime', is.duration, 10_800_000, 'How long waiting transactions are kept.'),
  setting(
    'txpool.compat',
    is.oneOf('fixed', 'geth'),
    'fixed',
    "Pool rules: geth's with its accidents repaired, or with them (docs/pool.md lists each).",
  ),
  setting(
    'txpool.pending-lifetime',
    is.duration,
    0,
    'How long a transaction may be executable without being mined; 0 is for ever.',
  ),
  setting(
    'txpool.delegated-slots',
    is.wholeNumber(0),
    1,
    'Transactions in flight of an account with delegated code.',
  ),
  setting(
    'txpool.strict-balance',
    is.flag,
    false,
    'Count waiting transactions in the balance check of later ones.',
  ),
  setting('txpool.turn-max', is.wholeNumber(0), 512, 'Transactions applied in one actor turn.'),
  setting(
    'txpool.intake-queue',
    is.wholeNumber(0),
    8_192,
    'Submitted transactions waiting to be checked.',
  ),
  setting(
    'txpool.locals',
    is.addresses,
    [],
    'Senders whose accepted transactions are followed until they are mined, wherever they came from.',
  ),
  setting(
    'txpool.nolocals',
    is.flag,
    false,
    'Follow no submitted transactions: each refusal is returned, and nothing survives a restart.',
  ),
  setting('txpool.journal', is.flag, true, 'Keep submitted transactions over a restart.'),
  setting(
    'txpool.persist',
    is.oneOf('all', 'local', 'none'),
    'all',
    'What survives a restart: everything in the pool, submitted transactions, or nothing.',
  ),
  setting(
    'txpool.rejournal',
    is.duration,
    3_600_000,
    'Time between two looks for records that nobody needs any more.',
  ),
  setting(
    'txpool.journal-sync',
    is.oneOf('local', 'all', 'none'),
    'local',
    'What is on disk before it is answered: submissions, everything, or nothing (a killed process loses nothing either way, a power cut may).',
  ),
  setting(
    'txpool.local-lifetime',
    is.duration,
    604_800_000,
    'How long a submitted transaction is followed; 0 is until it is mined.',
  ),
  setting(
    'txpool.republish',
    is.duration,
    300_000,
    'How long a submitted transaction is pending before it is published again; 0 is never.',
  ),
  setting(
    'txpool.private-reinject',
    is.flag,
    true,
    'Take private transactions back, as private ones, when their block leaves the chain.',
  ),
  setting(
    'txpool.stories',
    is.wholeNumber(0),
    32_768,
    'Transactions no longer in the pool of which it can still say what became of them; 0 is none.',
  ),
  setting('rpc.enabled', is.flag, true, 'Serve JSON-RPC.'),
  setting('rpc.ip', is.text, '127.0.0.1', 'Address of the JSON-RPC listener.'),
  setting(
    'rpc.port',
    is.port,
    8_545,
    'Port of the JSON-RPC listener (HTTP and WebSocket); 0 asks the system.',
  ),
  setting(
    'rpc.vhosts',
    is.list,
    ['localhost', '127.0.0.1', '::1'],
    'Host names a request may carry.',
  ),
  setting('rpc.corsdomain', is.list, [], 'Origins of browser pages that may call.'),
  setting('rpc.body-limit', is.size, 5_242_880, 'Largest request body.'),
  setting('rpc.batch-request-limit', is.wholeNumber(1), 1_000, 'Calls in one batch.'),
  setting('rpc.batch-response-max-size', is.size, 25_000_000, 'Largest answer to a batch.'),
  setting(
    'rpc.txfeecap',
    is.wei,
    1_000_000_000_000_000_000n,
    'Largest fee of one submitted transaction; 0 is no cap.',
  ),
  setting(
    'rpc.allow-unprotected-txs',
    is.flag,
    false,
    'Take submitted transactions without replay protection (EIP-155).',
  ),
  setting(
    'rpc.txsync.defaulttimeout',
    is.duration,
    20_000,
    'How long eth_sendRawTransactionSync waits for the block when the caller does not say.',
  ),
  setting(
    'rpc.txsync.maxtimeout',
    is.duration,
    60_000,
    'How long it waits at most, whatever the caller says.',
  ),
  setting('ops.enabled', is.flag, true, 'Serve health and metrics.'),
  setting('ops.ip', is.text, '127.0.0.1', 'Address of the health and metrics listener.'),
  setting(
    'ops.port',
    is.port,
    7_626,
    'Port of the health and metrics listener; 0 asks the system.',
  ),
  setting(
    'log.level',
    is.oneOf('debug', 'info', 'warn', 'error'),
    'info',
    'Least level that is logged.',
  ),
  setting(
    'log.format',
    is.oneOf('auto', 'json', 'pretty'),
    'auto',
    'Pretty on a terminal, else JSON.',
  ),
  setting('log.file', is.text, undefined, 'Log to this file instead of standard output.'),
  setting('shutdown.deadline', is.duration, 30_000, 'How long a stop may drain.'),
  setting(
    'crypto.workers',
    is.wholeNumber(0, 64),
    undefined,
    'Signature recovery threads; 0 is the main thread; default the cores, at most 4.',
  ),
  setting(
    'record.enabled',
    is.flag,
    false,
    'Record from the start all that reaches the actors, into recordings/, so that the run can be replayed.',
  ),
  setting(
    'record.max-bytes',
    is.size,
    1_073_741_824,
    'Size at which a recording stops; the node goes on.',
  ),
  setting(
    'tower.enabled',
    is.flag,
    false,
    'Run a watchtower: keep sealed appointments of others and answer when what they wait for is seen on the chain.',
  ),
  setting('tower.api_bind', is.text, '127.0.0.1', 'Address its public HTTP API listens on.'),
  setting('tower.api_port', is.port, 9814, 'Port of that API; 0 asks the system.'),
  setting(
    'tower.registration',
    is.oneOf('open', 'allowlist', 'closed'),
    'open',
    'Who may have a subscription: everybody, those listed, or only who has one.',
  ),
  setting(
    'tower.registration-allow',
    is.list,
    [],
    'Public keys that may register with allowlist, 66 hex digits each.',
  ),
  setting('tower.max-users', is.wholeNumber(1), 10_000, 'Users at most.'),
  setting(
    'tower.max_appointments',
    is.wholeNumber(1),
    1_000_000,
    'Appointments at most, whatever their phase.',
  ),
  setting(
    'tower.max-appointments-per-user',
    is.wholeNumber(1),
    100_000,
    'Appointments of one user at most.',
  ),
  setting(
    'tower.subscription_slots',
    is.wholeNumber(1, 4_294_967_295),
    10_000,
    'Slots of 2,048 bytes that one registration gives.',
  ),
  setting(
    'tower.subscription_duration',
    is.wholeNumber(1, 1_000_000),
    4_320,
    'Blocks that one registration lasts.',
  ),
  setting(
    'tower.max-subscription-blocks',
    is.wholeNumber(1, 10_000_000),
    105_120,
    'How far ahead a subscription may be extended. Blocks.',
  ),
  setting(
    'tower.expiry_delta',
    is.wholeNumber(0, 10_000),
    6,
    'Blocks between the end of a subscription and the deletion of what it held.',
  ),
  setting(
    'tower.min_to_self_delay',
    is.wholeNumber(0, 65_535),
    0,
    'Appointments with a smaller to_self_delay are refused.',
  ),
  setting(
    'tower.register-per-address',
    is.wholeNumber(1),
    10,
    'New users of one address in 24 hours; 50 times that from this machine.',
  ),
  setting(
    'tower.adds-per-user',
    is.wholeNumber(1),
    20,
    'Appointments of one user per second, with bursts of 50 times that.',
  ),
  setting(
    'tower.reads-per-user',
    is.wholeNumber(1),
    5,
    'Other questions of one user per second, with bursts of 10 times that.',
  ),
  setting('tower.max-body', is.size, 65_536, 'Largest request to add an appointment.'),
  setting(
    'tower.locator-cache-blocks',
    is.wholeNumber(1, 100),
    6,
    'Blocks that new appointments are compared with.',
  ),
  setting(
    'tower.tx-index-blocks',
    is.wholeNumber(100, 2_016),
    100,
    'Blocks whose transactions are known by id.',
  ),
  setting(
    'tower.rebroadcast-dispute',
    is.flag,
    true,
    'Send a dispute again that a reorg has removed, so that its answer stays valid.',
  ),
  setting(
    'tower.force_update',
    is.flag,
    false,
    'Start from the tip where blocks in between cannot be had; they are not looked at.',
  ),
  setting(
    'unlock',
    is.addresses,
    [],
    'Accounts of the keystore this node signs for until it stops; only with JSON-RPC on loopback.',
  ),
  setting(
    'password-file',
    is.text,
    undefined,
    'Their passwords, a line each; the last line serves all that follow.',
  ),
  setting(
    'new-identity',
    is.flag,
    false,
    'Make a new peer key although this data directory has lost its own.',
  ),
  setting(
    'devnet.control',
    is.flag,
    false,
    'Serve methods that make blocks (devnet_mine, devnet_reorg) and the names test tools know.',
  ),
  setting(
    'devnet.siblings',
    is.list,
    [],
    'Data directories of the other nodes of this devnet: time and snapshots are theirs too.',
  ),
  setting(
    'devnet.faults',
    is.flag,
    false,
    'Serve methods that slow, stall and cut links to other nodes; only on network dev.',
  ),
  setting(
    'devnet.clock-offset',
    is.offset,
    0,
    "How far this node's wall clock is set wrong, either way; only on network dev.",
  ),
  setting(
    'devnet.clock-drift-ppm',
    is.wholeNumber(-100_000, 100_000),
    0,
    "How much faster this node's time runs than the machine's, in parts per million; only on network dev.",
  ),
  setting(
    'devnet.lifeline',
    is.flag,
    false,
    'Drain when standard input closes: the launcher is gone.',
  ),
]

export const settingByKey: ReadonlyMap<string, Setting> = new Map(
  settings.map(row => [row.key, row]),
)

/** `txpool.price-bump` is read from `ROCKPOOL_TXPOOL_PRICE_BUMP`. */
export function environmentName(key: string): string {
  return `ROCKPOOL_${key.toUpperCase().replaceAll(/[.-]/g, '_')}`
}
