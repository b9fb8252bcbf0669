/** Recordings of a node on disk: written beside the node, read back by a replay, exported without what is personal. */
export { openRecording, type RecordingFile, type RecordingHeader, type StopReason } from './file.ts'
export { readRecording, type StoredRecording } from './reader.ts'
export { redact } from './redact.ts'
