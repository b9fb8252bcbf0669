import type { Log, LogFields, LogLevel } from './api.ts'
import type { Cell } from './cell.ts'

/** What an actor logs, with its path; the bus adds the turn. */
export class ActorLog implements Log {
  private readonly cell: Cell

  constructor(cell: Cell) {
    this.cell = cell
  }

  debug(code: string, fields?: LogFields): void {
    this.write('debug', code, fields)
  }

  info(code: string, fields?: LogFields): void {
    this.write('info', code, fields)
  }

  warn(code: string, fields?: LogFields): void {
    this.write('warn', code, fields)
  }

  error(code: string, fields?: LogFields): void {
    this.write('error', code, fields)
  }

  private write(level: LogLevel, code: string, fields: LogFields = {}): void {
    this.cell.bus.report(level, code, fields, this.cell.path)
  }
}
