# SPDX-License-Identifier: BSD-3-Clause
from spack_repo.builtin.build_systems.cmake import CMakePackage
from spack_repo.builtin.build_systems.cuda import CudaPackage
from spack_repo.builtin.build_systems.python import PythonExtension, PythonPipBuilder
from spack_repo.builtin.build_systems.rocm import ROCmPackage

from spack.package import *


class Minidad(CMakePackage, CudaPackage, ROCmPackage, PythonExtension):
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
    variant("python", default=False, description="Install minidad-analysis, which draws runs")
    variant("tests", default=False, description="Build the tests")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.22:", type="build")

    # minidad is C++20. Kokkos' headers ask which standard it was built with, 17 by default
    # before version 5.
    depends_on("kokkos@3.4:5 cxxstd=20")
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

    with when("+python"):
        extends("python@3.9:")
        depends_on("py-pip", type="build")
        depends_on("py-setuptools@61:", type="build")
        depends_on("py-wheel", type="build")
        depends_on("py-numpy@1.21:", type=("build", "run"))
        depends_on("py-h5py@3.5:", type=("build", "run"))
        depends_on("py-matplotlib@3.6:", type=("build", "run"))

    # What +tests needs, and spack install --test=root, which builds the tests and runs them.
    for tool in (
        "googletest",
        "py-pytest",
        "py-numpy",
        "py-h5py",
        "py-matplotlib",
        "py-xarray",
        "py-h5netcdf",
        "py-netcdf4",
        "py-pyyaml",
    ):
        depends_on(tool, type="test")
        depends_on(tool, type="build", when="+tests")

    # Kernels run where Kokkos runs by default, which is the first of CUDA or HIP, OpenMP and
    # Serial that it has: it has those asked for, and no others.
    for backend in ("cuda", "rocm", "openmp"):
        depends_on(f"kokkos+{backend}", when=f"+{backend}")
        depends_on(f"kokkos~{backend}", when=f"~{backend}")
    depends_on("kokkos+serial", when="~openmp")
    for gpu in [f"+cuda cuda_arch={arch}" for arch in CudaPackage.cuda_arch_values] + [
        f"+rocm amdgpu_target={target}" for target in ROCmPackage.amdgpu_targets
    ]:
        depends_on(f"kokkos {gpu}", when=gpu)  # Kokkos Kernels takes it from there

    conflicts("+cuda", when="cuda_arch=none", msg="name the GPU: cuda_arch=...")
    conflicts("+rocm", when="amdgpu_target=none", msg="name the GPU: amdgpu_target=...")
    conflicts("+cuda", when="+rocm", msg="Kokkos has one GPU back end at a time")

    # To CMake minidad is C++, so with GCC it is nvcc's wrapper that compiles it for CUDA.
    conflicts("^kokkos+cmake_lang", msg="minidad does not use CMake's languages CUDA and HIP")
    requires("^kokkos+wrapper", when="+cuda %gcc")
    requires("^kokkos+cuda_lambda", when="+cuda ^kokkos@:4")
    # Threads of its own would fight those of Kokkos.
    requires("^openblas threads=openmp", when="+openmp ^[virtuals=blas] openblas")

    def cmake_args(self):
        backends = {"+cuda": "CUDA", "+rocm": "HIP", "+openmp": "OPENMP"}
        backend = next((b for v, b in backends.items() if self.spec.satisfies(v)), "SERIAL")
        tests = self.run_tests or self.spec.satisfies("+tests")
        args = [
            self.define_from_variant("MINIDAD_REAL", "real"),
            self.define("MINIDAD_BACKEND", backend),
            self.define("MINIDAD_NATIVE", False),  # Spack's compiler wrapper names the target
            self.define("MINIDAD_BUILD_TESTS", tests),
            self.define("MINIDAD_BUILD_BENCH", False),
            self.define("MINIDAD_DEVICE_FORMS", False),
            self.define("MINIDAD_WARNINGS_AS_ERRORS", False),
        ]
        if self.spec.satisfies("+cuda"):
            args.append(self.define("CMAKE_CXX_COMPILER", self["kokkos"].kokkos_cxx))
        elif self.spec.satisfies("+rocm"):
            args.append(self.define("CMAKE_CXX_COMPILER", self.spec["hip"].hipcc))
        return args

    @run_after("install", when="+python")
    def install_analysis(self):
        with working_dir(join_path(self.stage.source_path, "analysis")):
            pip(*PythonPipBuilder.std_args(self), f"--prefix={self.prefix}", ".")

    def check(self):
        # Pages are tested in a browser, which Spack does not have.
        with working_dir(self.build_directory):
            ctest("--output-on-failure", "--exclude-regex", "^python.analysis$")

    def test_two_ranks(self):
        """train a small network on two ranks, and verify the run file"""
        launch = which("mpiexec", "mpirun", path=[self.spec["mpi"].prefix.bin])
        launch = launch or which("srun", "mpiexec", required=True)  # an MPI of the site
        minidad = self.prefix.bin.minidad
        deck = join_path(self.prefix.share.minidad.input, "tiny.toml")
        command = ["-n", "2", minidad, "run", deck, "--progress", "none"]
        options = {"output": str.split, "error": str.split}
        output = launch(*command, extra_env={"OMP_NUM_THREADS": "1"}, **options)
        assert "on 2 ranks" in output
        assert "Figure of Merit (FOM): " in output
        output = Executable(minidad)("verify", join_path("runs", "tiny.h5"), **options)
        assert "complete and undamaged" in output

    def test_imports(self):
        """import minidad-analysis"""
        if self.spec.satisfies("~python"):
            raise SkipTest("minidad-analysis comes with +python")
        super().test_imports()
