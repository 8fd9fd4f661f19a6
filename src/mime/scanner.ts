/** What is kept of a message besides its octets. Every offset counts from the first octet of the prefix. */
export interface MessageSummary {
  /** Prefix and content. */
  readonly sizeBytes: number
  /** Prefix and header, the empty line included. */
  readonly headerBytes: number
  /** Line ends of the whole message. */
  readonly lines: number
  /** ENVELOPE as IMAP wire text (rfc3501 §7.4.2), parentheses included. */
  readonly envelope: Uint8Array
  /** BODYSTRUCTURE as IMAP wire text, extension data included. */
  readonly bodyStructure: Uint8Array
  /** BODY as IMAP wire text: no extension data. */
  readonly body: Uint8Array
  /** The part tree; `decodeParts` reads it. */
  readonly parts: Uint8Array
  /** The Date field as a moment; undefined where there is none or it cannot be read. */
  readonly sentAtMs: number | undefined
  /** `YYYY-MM-DD` as written: SENTSINCE and its kin disregard time and zone (rfc3501 §6.4.4). */
  readonly sentDay: string | undefined
  /** Decoded, on one line, bounded: for lists and traces. May hold any character: clean it for a terminal. */
  readonly subject: string
  /** `Name <local@domain>, …`, decoded and bounded like the subject. */
  readonly from: string
  readonly to: string
  readonly cc: string
  /** With angle brackets. */
  readonly messageId: string | undefined
  readonly inReplyTo: readonly string[]
  /** The first and the last ones where there are many. */
  readonly references: readonly string[]
  /** Tags of what was forgiven. */
  readonly leniencies: readonly string[]
}

/** Reads one message as it streams by, in linear time, in bounded memory. */
export class MessageScanner {
  /** Content only, as received; the octets are not kept beyond the call. */
  push(_chunk: Uint8Array): void {
    throw new Error('not built yet')
  }

  /** The content's header block with its empty line as soon as it is complete; its first `MAX_HEADER_BYTES`. */
  get header(): Uint8Array | undefined {
    return undefined
  }

  /**
   * Closes the message. Once only.
   * @param _prefix whole header fields that stand before the content: Return-Path, Received, an added Date or Message-ID.
   */
  end(_prefix: Uint8Array): MessageSummary {
    throw new Error('not built yet')
  }
}
