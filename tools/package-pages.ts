/* What the pages of the source say of the source alone, said anew for the package that `npm run build` makes. */

type Edit = readonly [from: string, to: string]

const SOURCE_NOTE =
  'Where these pages name files under `src/` or `test/`, `npm run …`, or a verb of `launch.mjs` other than `start` and `run`, they speak of the source, where all of it can be run.'

/** Each text stands in its page once: a page that was changed is looked at again here. */
const EDITS: Readonly<Record<string, readonly Edit[]>> = {
  'README.md': [
    ['## Two commands\n', '## One command\n'],
    ['npm test      # the checks and the tests\n', ''],
    [
      '`npm run build` makes the folder `dist/`: all that a server needs, which starts faster than the checkout;\ncopy it where it belongs and call `hikyaku` there.',
      'This folder is all that a server needs: copy it where it belongs and call `hikyaku` there.',
    ],
    ['[how it is built](ARCHITECTURE.md) · [how to help](CONTRIBUTING.md) · ', ''],
    [' · [standards](rfc/index.tsv)', ''],
    ['\n\nNot there yet:', `\n\n${SOURCE_NOTE}\n\nNot there yet:`],
  ],
  'README.ja.md': [
    ['## ふたつのコマンド\n', '## コマンドひとつ\n'],
    ['npm test      # 検査とテスト\n', ''],
    [
      '`npm run build` はサーバーに必要なものだけを `dist/` にまとめます（起動が速くなります）。置きたい場所にコピーして、その中の `hikyaku` を使ってください。',
      'サーバーに必要なものは、すべてこのフォルダーにあります。置きたい場所にコピーして、その中の `hikyaku` を使ってください。',
    ],
    ['[しくみ](ARCHITECTURE.md) · [参加するには](CONTRIBUTING.md) · ', ''],
    [' · [対応する規格](rfc/index.tsv)', ''],
    [
      '\n\nまだないもの：',
      '\n\n各ページにある `src/` や `test/` のファイル、`npm run …`、`start` と `run` 以外の `launch.mjs` の命令は、ソースコードのほうにあります。\n\nまだないもの：',
    ],
  ],
}

/** Pages that are not copied as they are. */
export const EDITED_PAGES: readonly string[] = Object.keys(EDITS)

/** The page as the package has it. Throws where the page of the source no longer has what is to be said anew. */
export function packagedPage(name: string, text: string): string {
  let page = text
  for (const [from, to] of EDITS[name] ?? []) {
    if (page.split(from).length !== 2)
      throw new Error(`${name} does not have "${from.trim()}" once: see tools/package-pages.ts`)
    page = page.replace(from, () => to)
  }
  return page
}

/** Files and folders that a page links to, beside it. */
export function linkedFiles(text: string): readonly string[] {
  return [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)].map(([, target]) => target as string)
}
