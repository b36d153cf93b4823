/** What a reader has to make of a stream: `[event, data]`, in order. */
export interface ParsingCase {
  readonly name: string
  /** As text; sent as UTF-8. */
  readonly stream: string
  readonly events: readonly (readonly [event: string, data: string])[]
}

/**
 * The parsing cases of the web platform tests, https://github.com/web-platform-tests/wpt, directory `eventsource`, restated: each is named as its
 * file there. Cases about `id` and `retry` alone are reduced to what they say about events, since our frames carry both inside.
 */
export const WPT_CASES: readonly ParsingCase[] = [
  {
    name: 'event-data',
    stream: 'data:msg\ndata: msg\n\n:\nfalsefield:msg\n\nfalsefield:msg\nData:data\n\ndata\n\ndata:end\n\n',
    events: message('msg\nmsg', '', 'end'),
  },
  { name: 'format-bom', stream: '\uFEFFdata:1\n\n\uFEFFdata:2\n\ndata:3\n\n', events: message('1', '3') },
  { name: 'format-bom-2', stream: '\uFEFF\uFEFFdata:1\n\ndata:2\n\ndata:3\n\n', events: message('2', '3') },
  {
    name: 'format-comments',
    stream: `data:1\r:\0\n:\r\ndata:2\n:${'x'.repeat(2048)}\rdata:3\n:data:fail\r:${'x'.repeat(2048)}\ndata:4\n\n`,
    events: message('1\n2\n3\n4'),
  },
  {
    name: 'format-data-before-final-empty-line',
    stream: 'retry:1000\ndata:test1\n\nid:test\ndata:test2',
    events: message('test1'),
  },
  { name: 'format-field-data', stream: 'data:\n\ndata\ndata\n\ndata:test\n\n', events: message('', '\n', 'test') },
  { name: 'format-field-event-empty', stream: 'event: \ndata:data\n\n', events: message('data') },
  {
    name: 'format-field-event',
    stream: 'event:test\ndata:x\n\ndata:x\n\n',
    events: [
      ['test', 'x'],
      ['message', 'x'],
    ],
  },
  { name: 'format-field-id', stream: 'id: …\ndata:1\n\n', events: message('1') },
  { name: 'format-field-id-null', stream: 'id: \0\ndata:1\n\n', events: message('1') },
  {
    name: 'format-field-parsing',
    stream:
      'data:\0\ndata:  2\rData:1\ndata\0:2\ndata:1\r\0data:4\nda-ta:3\rdata_5\ndata:3\rdata:\r\n data:32\ndata:4\n\n',
    events: message('\0\n 2\n1\n3\n\n4'),
  },
  { name: 'format-field-retry-bogus', stream: 'retry:3000\nretry:1000x\ndata:x\n\n', events: message('x') },
  { name: 'format-field-retry-empty', stream: 'retry\ndata:test\n\n', events: message('test') },
  {
    name: 'format-field-unknown',
    stream: 'data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacommentyay\ndata:test\n\n',
    events: message('test\n\ntest'),
  },
  { name: 'format-leading-space', stream: 'data:\ttest\rdata: \ndata:test\n\n', events: message('\ttest\n\ntest') },
  { name: 'format-newlines', stream: 'data:test\r\ndata\ndata:test\r\n\r\n', events: message('test\n\ntest') },
  { name: 'format-null-character', stream: 'data:\0\n\n\n\n', events: message('\0') },
  { name: 'format-utf-8', stream: 'data:ok…\n\n', events: message('ok…') },
]

/** Cases of our own, where the specification leaves no doubt and readers have been wrong. */
export const MORE_CASES: readonly ParsingCase[] = [
  {
    name: 'an event without data is none, and its name is not kept',
    stream: 'event: hello\n\ndata: x\n\n',
    events: message('x'),
  },
  { name: 'the last of two names counts', stream: 'event: a\nevent: b\ndata: x\n\n', events: [['b', 'x']] },
  { name: 'an empty name is the default one', stream: 'event: a\nevent\ndata: x\n\n', events: message('x') },
  { name: 'a colon in the data is data', stream: 'data: a: b: c\n\n', events: message('a: b: c') },
  { name: 'only one space is taken off', stream: 'data:  x \n\n', events: message(' x ') },
  {
    name: 'separators of Unicode end no line',
    stream: 'data: a\u2028b\u2029c\u0085d\v\f\n\n',
    events: message('a\u2028b\u2029c\u0085d\v\f'),
  },
  {
    name: 'CRLF throughout',
    stream: 'event: e\r\ndata: 1\r\ndata: 2\r\n\r\ndata: 3\r\n\r\n',
    events: [
      ['e', '1\n2'],
      ['message', '3'],
    ],
  },
  {
    name: 'CR throughout',
    stream: 'event: e\rdata: 1\rdata: 2\r\rdata: 3\r\r:\r',
    events: [
      ['e', '1\n2'],
      ['message', '3'],
    ],
  },
  { name: 'characters of two, three and four bytes', stream: 'event: ä\ndata: é漢😀\n\n', events: [['ä', 'é漢😀']] },
  {
    name: 'names of objects are names of events',
    stream: 'event: __proto__\ndata: constructor\n\n',
    events: [['__proto__', 'constructor']],
  },
  { name: 'nothing', stream: '', events: [] },
  { name: 'blank lines only', stream: '\n\r\n\r\n\n', events: [] },
]

function message(...data: string[]): (readonly [string, string])[] {
  return data.map((text) => ['message', text])
}
