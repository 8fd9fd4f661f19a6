/** A row that is not what was written: the message alone is reported, the rest serves. */
export class Damaged extends Error {
  override readonly name = 'Damaged'
}
