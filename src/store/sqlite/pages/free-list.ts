import type { FileHeader } from './file-header.ts'
import { viewOf } from './page.ts'
import type { Pages } from './payload.ts'
import { PageSet } from './tree.ts'

export interface FreePages {
  readonly pages: PageSet
  /** The list is as long as the file says, and no page of it is damaged. */
  readonly isWhole: boolean
}

/**
 * Pages that hold nothing any more; most of them still have the rows that were deleted from them.
 * @param isUnsure whether a page's newest state may be lost.
 */
export function readFreeList(
  source: Pages,
  header: FileHeader | undefined,
  isUnsure: (page: number) => boolean,
): FreePages {
  const pages = new PageSet(source.pages)
  if (header === undefined || isUnsure(1)) return { pages, isWhole: false }
  let count = 0
  for (let trunk = header.freeTrunk; trunk !== 0; ) {
    const bytes = source.page(trunk)
    if (bytes === undefined || isUnsure(trunk) || pages.has(trunk)) return { pages, isWhole: false }
    const view = viewOf(bytes)
    const leaves = view.getUint32(4)
    if (leaves > source.usable / 4 - 2) return { pages, isWhole: false }
    pages.add(trunk)
    for (let i = 0; i < leaves; i++) {
      const leaf = view.getUint32(8 + 4 * i)
      if (leaf < 2 || leaf > source.pages || pages.has(leaf)) return { pages, isWhole: false }
      pages.add(leaf)
    }
    count += leaves + 1
    trunk = view.getUint32(0)
  }
  return { pages, isWhole: count === header.freePages }
}
