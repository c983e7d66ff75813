"""SIMD for compiled functions: a numba type for several integers in one register, with operators and loads.

numba makes SIMD code only of simple loops, which load and store each intermediate result.  With this type a compiled
function says itself what is computed together.  `lanes` is a vector of LLVM: LETTERS lanes of 8 bits, loaded from an
array of bytes, or WORDS lanes of 64 bits, loaded from an array of 64-bit integers.  LLVM makes one or more instructions
of each operation, for whatever the processor has.

    +  *  ^  &  |  <<  >>      of lanes with lanes, or with one number; integers are unsigned, overflow wraps around
    ==  >                      set all bits of a lane, or none; `>` compares signed numbers
    load, load_words, store, splat, select, mask_bits, first_bit, high_products, any_at_most

load and store do not check indices, and access all lanes, also beyond the end of an array: leave a margin.

Functions of other modules may not be used in compiled code (jit.py), but these may.

Sources: numba's documentation, "Low-level extension API"; LLVM Language Reference, "Vector Type".
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

Lanes = Any
"""The type of lanes in annotations, which numba ignores."""
LETTERS = 32
WORDS = 8
GROUP = 4  # words that load_words makes of 16 bytes
I8, I32, I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
IN_GROUPS_OF_2 = (0, 2, 8, 10, 4, 6, 12, 14)
"""The lower halves of 8 words, in the order in which AVX2 joins those of two registers with one instruction."""


class LanesType(types.Type):
    """The numba type of `count` integers of `bits` bits."""

    def __init__(self, bits: int, count: int) -> None:
        self.bits, self.count = bits, count
        super().__init__(name=f"Lanes({bits}x{count})")


@register_model(LanesType)
class LanesModel(models.PrimitiveModel):
    """Lanes are a vector, in registers and in memory."""

    def __init__(self, manager: Any, kind: LanesType) -> None:
        super().__init__(manager, kind, ir.VectorType(ir.IntType(kind.bits), kind.count))


LETTER_LANES, WORD_LANES, HALF_LANES = LanesType(8, LETTERS), LanesType(64, WORDS), LanesType(32, WORDS)


def operation(typing: Callable[..., Any]) -> Any:
    """Make a function of compiled code; `typing` returns its signature, and the function that generates its code."""
    return intrinsic(typing)


# Values --------------------------------------------------------------------------------------------------------------


def constants(value: Any, numbers: Sequence[int]) -> Any:
    """Return a constant of the type of a vector: `numbers`, repeated as often as needed."""
    return ir.Constant(value.type, list(numbers) * (value.type.count // len(numbers)))


def shuffled(builder: Any, first: Any, second: Any, order: Sequence[int]) -> Any:
    """Return the elements of two vectors whose numbers are `order`; those of the second follow those of the first."""
    return builder.shuffle_vector(first, second, ir.Constant(ir.VectorType(I32, len(order)), list(order)))


def splatted(builder: Any, number: Any, vector: Any) -> Any:
    """Return a vector whose elements are all `number`, which is cut or extended to their width."""
    width, wanted = number.type.width, vector.element.width
    if width != wanted:
        number = (builder.trunc if width > wanted else builder.zext)(number, vector.element)
    nothing = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(nothing, number, ir.Constant(I32, 0))
    return shuffled(builder, first, nothing, [0] * vector.count)


def sign_bits(builder: Any, mask: Any) -> Any:
    """Return the sign bit of each lane, as LLVM's vector of booleans."""
    return builder.icmp_signed("<", mask, constants(mask, [0]))


# Operators -----------------------------------------------------------------------------------------------------------


def define(symbol: Any, emit: Callable[[Any, Any, Any, Any], Any]) -> None:
    """Define an operator of Python; `emit` takes the context, the builder and two vectors."""

    @infer_global(symbol)
    class Template(AbstractTemplate):
        def generic(self, args: Any, _: Any) -> Any:
            left, right = args
            if isinstance(left, LanesType) and (right == left or isinstance(right, types.Integer)):
                return signature(left, left, right)
            return None

    def with_lanes(context: Any, builder: Any, _: Any, args: Any) -> Any:
        return emit(context, builder, *args)

    def with_number(context: Any, builder: Any, _: Any, args: Any) -> Any:
        return emit(context, builder, args[0], splatted(builder, args[1], args[0].type))

    lower_builtin(symbol, LanesType, LanesType)(with_lanes)
    lower_builtin(symbol, LanesType, types.Integer)(with_number)


def product(context: Any, builder: Any, x: Any, y: Any) -> Any:
    """Return x * y.

    Of 64-bit numbers, LLVM makes three multiplications of 32 bits, two shifts and two additions, if the processor has
    none of 64 bits.  This makes two, and one shift less: PMULLD multiplies both halves of x at once with the other
    halves of y.
    """
    features = context.codegen().magic_tuple()[2]
    has_pmulld = any(f"+{name}" in features for name in ("sse4.1", "avx", "avx2"))
    if x.type.element.width < 64 or "+avx512dq" in features or not has_pmulld:
        return builder.mul(x, y)
    low, crossed = partial_products(builder, x, y)
    crossed = builder.bitcast(crossed, x.type)
    upper = builder.add(low, builder.shl(crossed, constants(x, [32])))
    return builder.add(upper, builder.and_(crossed, constants(x, [2**64 - 2**32])))


def partial_products(builder: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """Return the 64-bit products of the lower halves, and the 32-bit products of each half of x with the other of y."""
    low, bits = constants(x, [2**32 - 1]), constants(x, [32])
    halves = ir.VectorType(I32, 2 * x.type.count)
    exchanged = builder.or_(builder.lshr(y, bits), builder.shl(y, bits))
    crossed = builder.mul(builder.bitcast(x, halves), builder.bitcast(exchanged, halves))
    return builder.mul(builder.and_(x, low), builder.and_(y, low)), crossed


def is_equal(_: Any, builder: Any, x: Any, y: Any) -> Any:
    """Return lanes with all bits set where x == y."""
    return builder.sext(builder.icmp_unsigned("==", x, y), x.type)


def is_greater(_: Any, builder: Any, x: Any, y: Any) -> Any:
    """Return lanes with all bits set where x > y, as signed numbers."""
    return builder.sext(builder.icmp_signed(">", x, y), x.type)


define(operator.add, lambda _, builder, x, y: builder.add(x, y))
define(operator.mul, product)
define(operator.xor, lambda _, builder, x, y: builder.xor(x, y))
define(operator.and_, lambda _, builder, x, y: builder.and_(x, y))
define(operator.or_, lambda _, builder, x, y: builder.or_(x, y))
define(operator.lshift, lambda _, builder, x, y: builder.shl(x, y))
define(operator.rshift, lambda _, builder, x, y: builder.lshr(x, y))
define(operator.eq, is_equal)
define(operator.gt, is_greater)


# Memory --------------------------------------------------------------------------------------------------------------


def pointer_to(context: Any, builder: Any, kind: Any, array: Any, index: Any, vector: Any) -> Any:
    """Return a pointer to a vector at an index of an array."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())


@operation
def load(_: Any, array: Any, index: Any) -> Any:
    """Return array[index : index + n] as lanes."""
    kind = LETTER_LANES if array.dtype.bitwidth == 8 else WORD_LANES

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        vector = ir.VectorType(ir.IntType(kind.bits), kind.count)
        array, index = args
        return builder.load(pointer_to(context, builder, sig.args[0], array, index, vector), align=1)

    return kind(array, types.intp), generate


@operation
def store(_: Any, array: Any, index: Any, value: Any) -> Any:
    """Set array[index : index + n] to lanes."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        array, index, value = args
        builder.store(value, pointer_to(context, builder, sig.args[0], array, index, value.type), align=1)
        return context.get_dummy_value()

    return types.void(array, types.intp, value), generate


def word_loader(offsets: Sequence[int]) -> Any:
    """Return a function `load_words(array, index)`, which joins bytes of an array to words, for neighbouring indices.

    Byte j of word i, from the lowest one on, is array[index + i + offsets[j]]; missing offsets mean bytes of 0.  The
    offsets are below 13, so that the bytes of a GROUP of words are within 16, and SIMD code can permute them.
    """
    size = ir.VectorType(I8, 16)

    def load_group(builder: Any, load_bytes: Callable[[int], Any], at: int) -> Any:
        first = load_bytes(at)
        if len(offsets) < 8:  # one load is enough; the processor then has all bytes in both halves of a register
            order = [i + offset for i in range(GROUP) for offset in [*offsets, *[16 - i] * (8 - len(offsets))]]
            return shuffled(builder, first, ir.Constant(size, [0] * 16), order)
        # With one load, LLVM would use an instruction that moves bytes between these halves, which is slow.
        both = shuffled(builder, first, load_bytes(at + 2), range(32))
        return shuffled(builder, both, both, [i % 2 + i // 2 * 16 + offset for i in range(GROUP) for offset in offsets])

    @operation
    def load_words(_: Any, array: Any, index: Any) -> Any:
        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            array, index = args

            def load_bytes(at: int) -> Any:
                place = builder.add(index, ir.Constant(index.type, at))
                return builder.load(pointer_to(context, builder, sig.args[0], array, place, size), align=1)

            groups = [load_group(builder, load_bytes, at) for at in range(0, WORDS, GROUP)]
            both = shuffled(builder, groups[0], groups[1], range(8 * WORDS))
            return builder.bitcast(both, ir.VectorType(I64, WORDS))

        return WORD_LANES(array, types.intp), generate

    return load_words


# Functions -----------------------------------------------------------------------------------------------------------


@operation
def splat(_: Any, number: Any) -> Any:
    """Return lanes of 64 bits that are all the same number."""

    def generate(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return splatted(builder, args[0], ir.VectorType(I64, WORDS))

    return WORD_LANES(number), generate


@operation
def select(_: Any, mask: Any, yes: Any, no: Any) -> Any:
    """Return the lanes of `yes` where the sign bit of `mask` is set, and those of `no` elsewhere."""

    def generate(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return builder.select(sign_bits(builder, args[0]), *args[1:])

    return yes(mask, yes, no), generate


@operation
def mask_bits(_: Any, mask: Any) -> Any:
    """Return the sign bits of all lanes as one number, the first lane in its lowest bit."""

    def generate(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return builder.zext(builder.bitcast(sign_bits(builder, args[0]), ir.IntType(mask.count)), I64)

    return types.uint64(mask), generate


@operation
def first_bit(_: Any, number: Any) -> Any:
    """Return the position of the lowest bit that is set, or 64 if none is."""

    def generate(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), generate


@operation
def high_products(_: Any, x: Any, y: Any) -> Any:
    """Return the upper 32 bits of the 64-bit numbers x * y, as lanes of 32 bits, in another order."""

    def generate(_: Any, builder: Any, __: Any, args: Any) -> Any:
        x = args[0]
        low, crossed = partial_products(builder, x, splatted(builder, args[1], x.type))
        low = builder.bitcast(low, crossed.type)
        upper = [i + 1 for i in IN_GROUPS_OF_2]
        carried = builder.add(shuffled(builder, low, low, upper), shuffled(builder, crossed, crossed, upper))
        return builder.add(carried, shuffled(builder, crossed, crossed, IN_GROUPS_OF_2))

    return HALF_LANES(x, y), generate


@operation
def any_at_most(_: Any, x: Any, limit: Any) -> Any:
    """Return whether any lane is at most `limit`; both are unsigned."""

    def generate(_: Any, builder: Any, __: Any, args: Any) -> Any:
        found = builder.icmp_unsigned("<=", args[0], splatted(builder, args[1], args[0].type))
        found = builder.bitcast(found, ir.IntType(x.count))
        return builder.icmp_unsigned("!=", found, ir.Constant(found.type, 0))

    return types.boolean(x, limit), generate
