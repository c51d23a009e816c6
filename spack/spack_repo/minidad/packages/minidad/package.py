# SPDX-License-Identifier: BSD-3-Clause
import re

from spack_repo.builtin.build_systems.cmake import CMakePackage
from spack_repo.builtin.build_systems.cuda import CudaPackage
from spack_repo.builtin.build_systems.rocm import ROCmPackage

from spack.package import *


class Minidad(CMakePackage, CudaPackage, ROCmPackage):
    """Mini-app that trains neural networks on MPI ranks, which exchange the statistics of
    back-propagation instead of gradients. Written with Kokkos."""

    tags = ["proxy-app"]

    license("BSD-3-Clause")

    # Neither git nor url, since no release is published yet: Spack builds a checkout, see
    # spack/README.md.
    version("main")

    variant("openmp", default=True, description="Run kernels on the CPU with OpenMP")
    variant(
        "real",
        default="float",
        values=("float", "double"),
        multi=False,
        description="Scalar of parameters, activations and messages",
    )
    variant("python", default=False, description="Install minidad-analysis, which draws run files")
    variant("tests", default=False, description="Build the tests")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.22:", type="build")

    # Kokkos may be built for an older C++ than minidad's 20. Its Kernels have to know the scalars,
    # and the spaces of a GPU; products reach the vendor's BLAS.
    depends_on("kokkos@3.4.01:5")
    depends_on("kokkos+openmp", when="+openmp")
    depends_on("kokkos+serial", when="~openmp")
    depends_on("kokkos-kernels+blas scalars=float,double")
    depends_on("kokkos-kernels+cuda+cublas+execspace_cuda+memspace_cudaspace", when="+cuda")
    depends_on("kokkos-kernels+rocblas", when="+rocm")
    depends_on("mpi")
    depends_on("hdf5+mpi+hl")
    depends_on("blas")
    depends_on("lapack")
    depends_on("zlib-api")
    depends_on("cli11")
    depends_on("tomlplusplus")
    depends_on("fmt")
    depends_on("fmt@12:", when="+cuda")  # nvcc does not compile fmt 9

    depends_on("py-minidad-analysis", when="+python", type="run")

    with when("+tests"):
        depends_on("googletest", type=("build", "test"))
        for module in ("pytest", "numpy", "h5py", "matplotlib", "xarray", "h5netcdf", "netcdf4"):
            depends_on(f"py-{module}", type=("build", "test"))
        depends_on("py-pyyaml", type=("build", "test"))

    conflicts("+cuda", when="cuda_arch=none", msg="name the GPU: cuda_arch=...")
    conflicts("+rocm", when="amdgpu_target=none", msg="name the GPU: amdgpu_target=...")
    conflicts("+cuda", when="+rocm", msg="Kokkos has one GPU back end at a time")
    for gpu in [f"+cuda cuda_arch={arch}" for arch in CudaPackage.cuda_arch_values] + [
        f"+rocm amdgpu_target={target}" for target in ROCmPackage.amdgpu_targets
    ]:
        depends_on(f"kokkos {gpu}", when=gpu)

    # Recipes of Kokkos before August 2026 choose neither way to compile for CUDA with GCC, and
    # then raise an error. minidad is compiled by Kokkos' wrapper of nvcc, not as a CUDA language.
    requires("^kokkos+wrapper", when="+cuda %gcc")
    requires("^kokkos+cuda_lambda", when="+cuda ^kokkos@:4")
    # Threads of its own would fight those of Kokkos.
    requires("^openblas threads=openmp", when="+openmp ^[virtuals=blas] openblas")

    def cmake_args(self):
        backends = {"+cuda": "CUDA", "+rocm": "HIP", "+openmp": "OPENMP"}
        backend = next((b for v, b in backends.items() if self.spec.satisfies(v)), "SERIAL")
        args = [
            self.define_from_variant("MINIDAD_REAL", "real"),
            self.define("MINIDAD_BACKEND", backend),
            self.define("MINIDAD_NATIVE", False),  # Spack's compiler wrapper names the target
            self.define_from_variant("MINIDAD_BUILD_TESTS", "tests"),
            self.define("MINIDAD_BUILD_BENCH", False),
            self.define("MINIDAD_DEVICE_FORMS", False),
            self.define("MINIDAD_WARNINGS_AS_ERRORS", False),
        ]
        if self.spec.satisfies("+cuda"):
            args.append(self.define("CMAKE_CXX_COMPILER", self["kokkos"].kokkos_cxx))
        elif self.spec.satisfies("+rocm"):
            args.append(self.define("CMAKE_CXX_COMPILER", self.spec["hip"].hipcc))
        return args

    def test_tiny_deck(self):
        """train a small network on synthetic data, on two MPI ranks"""
        mpiexec = Executable(join_path(self.spec["mpi"].prefix.bin, "mpiexec"))
        deck = self.prefix.share.minidad.input.join("tiny.toml")
        output = mpiexec(
            "-n",
            "2",
            self.prefix.bin.minidad,
            "run",
            deck,
            "--progress",
            "none",
            output=str.split,
            error=str.split,
        )
        assert "Figure of Merit (FOM):" in output
        accuracy = re.search(r"test accuracy +([0-9.]+) %", output)
        assert accuracy and float(accuracy.group(1)) > 70, "the deck says 77 %"
