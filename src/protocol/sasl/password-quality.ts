import {
  GENERATED_CHARACTERS,
  GENERATED_GROUP_CHARACTERS,
  MIN_DIGITS_ONLY_CHARACTERS,
  MIN_PASSWORD_CHARACTERS,
  MIN_UNPREDICTABLE_CHARACTERS,
} from './limits.ts'
import { preparePassword } from './password-hash.ts'

/** No 0, o, 1, i and l: what is read from a screen and typed on a phone. */
const ALPHABET = '23456789abcdefghjkmnpqrstuvwxyz'
/** Octets from here on would make the first characters of the alphabet likelier than the last ones. */
const UNBIASED_BELOW = 256 - (256 % ALPHABET.length)

const KEYBOARD_ROWS = ['1234567890', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'azertyuiop', 'qwertzuiop']
/** What tops every published list of stolen passwords, once digits and signs around it are taken off. */
const COMMON = new Set(
  (
    'password passwort passwd passwordpassword motdepasse contrasena parola pasuwado himitsu welcome letmein ' +
    'changeme default secret topsecret admin administrator root superuser master login access guest test ' +
    'testtest testing iloveyou sunshine princess dragon monkey football baseball basketball superman batman ' +
    'starwars trustno pokemon pikachu sakura doraemon naruto hello helloworld freedom whatever michael jordan ' +
    'charlie shadow ashley computer internet google facebook samsung android iphone microsoft windows linux ' +
    'server mail email mailserver postmaster webmaster hikyaku qwerty qwertyuiop asdfghjkl zxcvbnm azerty ' +
    'abc abcd abcabc abcdef abcdefgh mypassword newpassword yourpassword thepassword correcthorsebatterystaple'
  ).split(' '),
)
const LEET: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
}

/**
 * A password such as `7kq2-m4tn-x9wd-h3vc-8fzp`: 99 bits.
 * @param random gives that many good octets; asked again where too many had to be thrown away.
 */
export function generatePassword(random: (octets: number) => Uint8Array): string {
  const characters: string[] = []
  while (characters.length < GENERATED_CHARACTERS)
    for (const octet of random(GENERATED_CHARACTERS * 2))
      if (octet < UNBIASED_BELOW && characters.length < GENERATED_CHARACTERS)
        characters.push(ALPHABET[octet % ALPHABET.length] as string)
  const groups: string[] = []
  for (let i = 0; i < characters.length; i += GENERATED_GROUP_CHARACTERS)
    groups.push(characters.slice(i, i + GENERATED_GROUP_CHARACTERS).join(''))
  return groups.join('-')
}

/**
 * Why a password that somebody chose is refused, as the end of the sentence "The password is refused: …".
 * @param context.login the account's address: a password that holds its name is the first guess.
 * @returns undefined where it may be used.
 */
export function weakness(password: string, context: { readonly login: string }): string | undefined {
  const prepared = preparePassword(password, 'stored')
  if (password === '') return 'it is empty'
  if (prepared === undefined)
    return 'it is too long or has characters that cannot be typed the same way everywhere'
  const text = prepared.toString().toLowerCase()
  const characters = [...text]
  if (characters.length < MIN_PASSWORD_CHARACTERS)
    return `it has ${characters.length} characters; at least ${MIN_PASSWORD_CHARACTERS} are needed`
  if (/^\d+$/.test(text) && characters.length < MIN_DIGITS_ONLY_CHARACTERS)
    return 'it has only digits, which are tried first'
  const name = ownName(text, context.login)
  if (name !== undefined) return `it contains '${name}', which is part of the account's address`
  if (isCommon(text)) return 'it is one of the passwords that are tried first, or nearly'
  if (unpredictable(characters) < MIN_UNPREDICTABLE_CHARACTERS)
    return 'most of it is repetition, or a row of the alphabet or of the keyboard'
  return undefined
}

function ownName(text: string, login: string): string | undefined {
  const [local = '', domain = ''] = login.toLowerCase().split('@')
  const labels = domain.split('.').slice(0, -1)
  return [local, ...local.split(/[.+_-]/), ...labels]
    .filter((part) => part.length >= 3)
    .find((part) => text.includes(part))
}

function isCommon(text: string): boolean {
  const plain = text.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '')
  const unleeted = [...text].map((c) => LEET[c] ?? c).join('')
  return [plain, plain.replace(/[^\p{L}]/gu, ''), ...leetForms(text), unleeted].some((form) =>
    COMMON.has(form),
  )
}

/** `p4ssw0rd123`: the letters under the digits, with what was hung on at the end taken off bit by bit. */
function leetForms(text: string): string[] {
  const forms: string[] = []
  const end = text.length - (/[^\p{L}]*$/u.exec(text)?.[0].length ?? 0)
  for (let to = end; to <= text.length; to++)
    forms.push([...text.slice(0, to)].map((c) => LEET[c] ?? c).join(''))
  return forms
}

/** How many characters cannot be told from the ones before: no repetition, no neighbour, no repeated block. */
function unpredictable(characters: readonly string[]): number {
  let count = 0
  const seen = new Set<string>()
  for (const [i, character] of characters.entries()) {
    const before = characters[i - 1]
    // Of a repeated block every pair of characters has been there before.
    const pair = `${before ?? ''}${character}`
    if (before === undefined || !(follows(before, character) || seen.has(pair))) count++
    seen.add(pair)
  }
  return Math.min(count, new Set(characters).size)
}

function follows(a: string, b: string): boolean {
  const distance = (b.codePointAt(0) as number) - (a.codePointAt(0) as number)
  if (distance >= -1 && distance <= 1) return true
  return KEYBOARD_ROWS.some(
    (row) => row.includes(a) && row.includes(b) && isNear(row.indexOf(b) - row.indexOf(a)),
  )
}

const isNear = (steps: number): boolean => steps === 1 || steps === -1
