const dayMs = 86_400_000

/** `2026-03-01 13:00:00Z`, of epoch ms after 1970. */
export function instantText(epochMs: number): string {
  const days = Math.floor(epochMs / dayMs)
  const seconds = Math.floor((epochMs - days * dayMs) / 1_000)
  const { year, month, day } = civil(days)
  const two = (part: number) => String(part).padStart(2, '0')
  const date = `${year}-${two(month)}-${two(day)}`
  const hours = Math.floor(seconds / 3_600)
  return `${date} ${two(hours)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}Z`
}

/** The calendar day of a number of days since 1970. Years are counted from March, so that the odd day of a leap year is their last. */
function civil(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const ofEra = shifted - era * 146_097
  const year = Math.floor(
    (ofEra - Math.floor(ofEra / 1_460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) /
      365,
  )
  const ofYear = ofEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100))
  const month = Math.floor((5 * ofYear + 2) / 153)
  return {
    year: year + era * 400 + (month >= 10 ? 1 : 0),
    month: month < 10 ? month + 3 : month - 9,
    day: ofYear - Math.floor((153 * month + 2) / 5) + 1,
  }
}
