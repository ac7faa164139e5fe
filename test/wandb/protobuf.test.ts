// The wire format against the worked examples of the protobuf encoding guide, and against damage.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";

import { WandbError, logRecord, recordKind } from "@cleanloop/wandb";
import { bool, double, int, message, repeated, repeatedString, string, sub } from "../../lib/wandb/message.ts";
import { ProtoWriter } from "../../lib/wandb/protobuf.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));

describe("encoding, by the guide's examples", () => {
  const test1 = message({ a: int(1) });
  const test2 = message({ b: string(2) });
  const test3 = message({ c: sub(3, test1) });

  test("a varint: a = 150 is 08 96 01", () => {
    expect(hex(test1.encode({ a: 150 }))).toBe("089601");
  });
  test("a string: b = testing is 12 07 and the letters", () => {
    expect(hex(test2.encode({ b: "testing" }))).toBe("120774657374696e67");
  });
  test("a nested message: c.a = 150 is 1a 03 08 96 01", () => {
    expect(hex(test3.encode({ c: { a: 150 } }))).toBe("1a03089601");
  });
  test("a negative integer takes ten bytes, two's complement of 64 bits", () => {
    expect(hex(test1.encode({ a: -2 }))).toBe("08feffffffffffffffff01");
    expect(test1.decode(bytes("08 fe ff ff ff ff ff ff ff ff 01")).a).toBe(-2);
  });
  test("a double is eight bytes, little endian", () => {
    expect(hex(message({ d: double(1) }).encode({ d: 1.5 }))).toBe("09000000000000f83f");
  });
  test("defaults are not sent, and come back when absent; messages stay absent", () => {
    const type = message({ a: int(1), b: string(2), c: bool(3), d: sub(4, test1), e: repeated(5, test1) });
    expect(hex(type.encode({ a: 0, b: "", c: false }))).toBe("");
    expect(type.decode(new Uint8Array())).toEqual({ a: 0, b: "", c: false, e: [] } as never);
    expect(hex(type.encode({ d: {} }))).toBe("2200");
  });
  test("a text of 128 bytes has a length of two", () => {
    expect(hex(test2.encode({ b: "x".repeat(128) })).slice(0, 8)).toBe("12800178");
    expect(hex(test2.encode({ b: "é" }))).toBe("1202c3a9");
  });
});

describe("a record of the log", () => {
  test("history with a step of 0, by hand", () => {
    const record = { num: 3, history: { item: [{ key: "a", valueJson: "1" }], step: { num: 0 } } };
    // num 3; history (field 2) of 11 bytes: item (field 1) of 7 bytes {key "a", value_json (field 16) "1"}, step {}.
    expect(hex(logRecord.encode(record))).toBe("0803" + "120b" + "0a07" + "0a0161" + "82010131" + "1200");
  });
  test("an exit with code 1, a final and a footer, by hand", () => {
    const exit = { exitCode: 1, runtimeSeconds: 5 };
    expect(hex(logRecord.encode({ num: 9, exit }))).toBe("0809" + "9201040801" + "1005");
    expect(hex(logRecord.encode({ final: {} }))).toBe("a20100");
    expect(hex(logRecord.encode({ footer: {} }))).toBe("b20100");
  });
  test("fields this package does not know are passed over", () => {
    // Field 26 (environment) and fields of wire types 1 and 5 around an exit.
    const record = logRecord.decode(bytes("d2 01 02 08 01  09 00 00 00 00 00 00 00 00  92 01 02 08 03  0d 00 00 00 00"));
    expect(recordKind(record)).toBe("exit");
    expect(record.exit?.exitCode).toBe(3);
  });
  test("integers keep their value up to 2^53", () => {
    const numbers = fc.integer({ min: -(2 ** 53) + 1, max: 2 ** 53 - 1 });
    fc.assert(fc.property(numbers, (num) => logRecord.decode(logRecord.encode({ num })).num === num));
  });
  test("any text survives", () => {
    const text = fc.string({ unit: "binary", maxLength: 400 });
    fc.assert(
      fc.property(text, fc.array(text), (notes, tags) => {
        const back = logRecord.decode(logRecord.encode({ run: { notes, tags } }));
        expect(back.run?.notes).toBe(notes);
        expect(back.run?.tags).toEqual(tags);
      }),
    );
  });
});

describe("damage", () => {
  test("a message that ends too early says so, with its code", () => {
    for (const damaged of ["12 07 74", "08", "09 00 00", "08 ff ff ff ff ff ff ff ff ff ff 01", "0b", "00"]) {
      const read = (): unknown => message({ a: repeatedString(2), b: int(1) }).decode(bytes(damaged));
      expect(read).toThrow(WandbError);
      expect(read).toThrow(expect.objectContaining({ code: "bad-protobuf" }));
    }
  });
  test("no bytes crash the decoder", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (random) => {
        try {
          logRecord.decode(random);
        } catch (error) {
          expect(error).toBeInstanceOf(WandbError);
        }
      }),
      { numRuns: 2000 },
    );
  });
  test("a number that is no integer is refused", () => {
    for (const value of [0.5, NaN, Infinity, 2 ** 53]) expect(() => new ProtoWriter().varint(value)).toThrow(WandbError);
  });
});
