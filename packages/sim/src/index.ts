/** A world of N nodes under one seed: network, disk, chain, faults, workloads and the books of what must hold. */
export {}
