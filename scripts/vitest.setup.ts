import fc from 'fast-check'

/** Properties draw from the commit: a change draws anew, and what fails on one machine fails on all. */
const commit = process.env.ROCKPOOL_TEST_COMMIT ?? ''
if (/^[0-9a-f]{8}/.test(commit))
  fc.configureGlobal({ seed: Number.parseInt(commit.slice(0, 8), 16) | 0 })
