/**
 * Composition: one bus, the whole cast, the wiring table, the lifecycle, metrics. `createNode(ports, config)` makes a node that runs the same
 * over real ports and over simulated ones. Not here: I/O and any rule of a domain.
 */
export {
  createNode,
  type Inside,
  type Node,
  type NodeConfig,
  type NodeParts,
  type NodePorts,
  type NodeRefs,
  type NodeStatus,
  type StopPhase,
} from './node.ts'
export { type NetworkNames, topicsOf } from './topics.ts'
